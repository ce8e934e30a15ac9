#include "forge/rig_source.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "forge/owner_repository.hpp"
#include "git/clone.hpp"
#include "git/fetch.hpp"
#include "git/names.hpp"

namespace townd {
namespace {

/// What a source says of itself before anything is fetched.
struct Seen {
  std::string broken_reason;
  std::string default_branch;
  std::string object_format = "sha1";
};

Seen broken(std::string reason) { return {std::move(reason), {}, {}}; }

std::string no_branch(const std::string& where, const std::string& wanted) {
  if (!wanted.empty()) {
    return where + " has no branch " + wanted + ". Make it there, or set the rig's target to a branch that exists.";
  }
  return where + " has no default branch. Set the rig's target to the branch that work shall land on.";
}

expected<Seen> look_at_folder(const git::Program& git, const Rig& rig) {
  const OwnerRepository owner(git, rig.git_url);
  auto unusable = owner.unusable();
  if (!unusable) return tl::unexpected(unusable.error());
  if (!unusable->empty()) return broken(*unusable);
  auto branch = owner.default_branch(rig.config.target.empty() ? rig.default_branch : rig.config.target);
  if (!branch) return tl::unexpected(branch.error());
  if (!*branch) return broken(no_branch(rig.git_url, {}));
  if (!rig.config.target.empty() && **branch != rig.config.target) {
    return broken(no_branch(rig.git_url, rig.config.target));
  }
  Seen seen;
  seen.default_branch = **branch;
  auto format = git::Repository::checkout(git, rig.git_url)
                    .text({"rev-parse", "--show-object-format"}, "asking " + rig.git_url + " for its object format");
  if (!format) return tl::unexpected(format.error());
  seen.object_format = *format;
  return seen;
}

/// `ref: refs/heads/main\tHEAD`, then `<id>\t<ref>` for each head.
expected<Seen> look_at_host(const git::Program& git, const Rig& rig) {
  git::Call call;
  call.transport = git::Transport::network;
  call.timeout = std::chrono::minutes(2);
  call.output_limit = std::size_t{16} << 20;
  const std::string shown = git::without_credentials(rig.git_url);
  auto finished =
      git.alone({"ls-remote", "--quiet", "--symref", "--end-of-options", rig.git_url, "HEAD", "refs/heads/*"}, call);
  auto listed = git::text_of(std::move(finished), "asking " + shown + " for its branches");
  if (!listed) {
    return broken(listed.error().what +
                  ". Look whether the URL is right and `git ls-remote` reaches it without asking for a password.");
  }
  const auto has = [&](const std::string& branch) {
    return ("\n" + *listed + "\n").find("\trefs/heads/" + branch + "\n") != std::string::npos;
  };
  if (listed->find("\trefs/heads/") == std::string::npos) {
    return broken(shown + " has no commit yet. Push a first commit and try again.");
  }
  std::string head;
  if (listed->starts_with("ref: refs/heads/")) head = listed->substr(16, listed->find('\t') - 16);
  const std::string wanted = rig.config.target.empty() ? head : rig.config.target;
  if (wanted.empty() || !has(wanted)) return broken(no_branch(shown, rig.config.target));
  Seen seen;
  seen.default_branch = wanted;
  const std::size_t first_id = listed->starts_with("ref:") ? listed->find('\n') + 1 : 0;
  if (git::is_object_id(listed->substr(first_id, 64))) seen.object_format = "sha256";
  return seen;
}

expected<void> fetch_branches(const git::Repository& bare, const git::Place& source) {
  return git::fetch(bare, source, {"+refs/heads/*:refs/upstream/*"});
}

/// Makes the target when it is missing, and moves it forward when the source has moved on.
expected<void> follow_source(const git::Repository& bare, const std::string& branch) {
  return follow(bare, "refs/heads/" + branch, "refs/upstream/" + branch);
}

}  // namespace

expected<void> follow(const git::Repository& bare, const std::string& ref, const std::string& theirs) {
  auto tip = bare.commit_of(theirs);
  if (!tip) return tl::unexpected(tip.error());
  auto ours = bare.commit_of(ref);
  if (!ours) return tl::unexpected(ours.error());
  if (!*tip || *ours == *tip) return {};
  if (*ours) {
    auto forward = bare.is_ancestor(**ours, **tip);
    if (!forward) return tl::unexpected(forward.error());
    if (!*forward) return {};
  }
  // Losing to a landing is fine: it knows more.
  auto swapped = bare.compare_and_swap(ref, **tip, ours->value_or(""));
  if (!swapped) return tl::unexpected(swapped.error());
  return {};
}

namespace {

/// Complete or not there at all, whenever townd is killed.
expected<void> make_bare(const git::Program& git, const git::Place& source, const Seen& seen,
                         const std::string& folder) {
  const std::string partial = folder + ".partial";
  if (auto ok = git::remove_folder(partial); !ok) return ok;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), error);
  auto made = git::done(git.alone({"init", "--quiet", "--bare", "--template=", "--object-format=" + seen.object_format,
                                   "--initial-branch=" + seen.default_branch, "--", partial}),
                        "making " + partial);
  if (!made) return made;
  const git::Repository bare = git::Repository::bare(git, partial);
  if (auto ok = fetch_branches(bare, source); !ok) return ok;
  if (auto ok = follow_source(bare, seen.default_branch); !ok) return ok;
  if (::rename(partial.c_str(), folder.c_str()) == 0) return {};
  return fail(Error::Code::unavailable, "cannot rename " + partial + ": " + std::strerror(errno));
}

}  // namespace

expected<RigFound> make_or_refresh(const git::Program& git, const Rig& rig, const std::string& folder) {
  auto source = git::place_of(rig.git_url);
  if (!source) return RigFound{{}, source.error().what + ": " + source.error().hint + "."};
  auto seen = source->transport == git::Transport::local ? look_at_folder(git, rig) : look_at_host(git, rig);
  if (!seen) return tl::unexpected(seen.error());
  if (!seen->broken_reason.empty()) return RigFound{{}, seen->broken_reason};
  if (auto ok = git::validate_branch_name(seen->default_branch); !ok) {
    return RigFound{{}, ok.error().what + ". Rename it, or set the rig's target to another branch."};
  }
  if (::access(folder.c_str(), F_OK) != 0) {
    if (auto ok = make_bare(git, *source, *seen, folder); !ok) return tl::unexpected(ok.error());
    return RigFound{seen->default_branch, {}};
  }
  const git::Repository bare = git::Repository::bare(git, folder);
  if (auto ok = fetch_branches(bare, *source); !ok) return tl::unexpected(ok.error());
  if (auto ok = follow_source(bare, seen->default_branch); !ok) return tl::unexpected(ok.error());
  return RigFound{seen->default_branch, {}};
}

}  // namespace townd
