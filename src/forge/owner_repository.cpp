#include "forge/owner_repository.hpp"

#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>
#include <utility>

#include "git/fetch.hpp"
#include "git/names.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string canonical(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? path : real.string();
}

/// The part of `text` up to the next NUL, which is taken away with it.
std::string_view next_field(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return field;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

OwnerRepository::OwnerRepository(const git::Program& git, std::string folder)
    : git_(&git), repository_(git::Repository::checkout(git, std::move(folder))) {}

expected<std::string> OwnerRepository::unusable() const {
  const std::string& folder = repository_.folder();
  if (!is_folder(folder)) return "There is no folder " + folder + ". Give the path of a git repository.";
  auto said = repository_.call({"rev-parse", "--is-bare-repository", "--is-shallow-repository", "--git-dir"});
  if (!said) return tl::unexpected(said.error());
  if (!said->ok()) {
    return folder + " is not a git repository. Run `git init` in it and make a first commit, or give another path.";
  }
  if (said->out.starts_with("true\n")) {
    return folder + " is a bare repository. Clone it and give the path of the clone, or give its URL.";
  }
  if (said->out.starts_with("false\ntrue\n")) {
    return folder + " is a shallow clone. Run `git fetch --unshallow` in it and try again.";
  }
  auto top = repository_.text({"rev-parse", "--show-toplevel"}, "looking for the top of " + folder);
  if (!top) return tl::unexpected(top.error());
  if (canonical(*top) != canonical(folder)) {
    return folder + " is a folder inside of the repository " + *top + ". Give that path.";
  }
  auto partial = repository_.call({"config", "--get-regexp", "^(extensions\\.partialclone|remote\\..*\\.promisor)$"});
  if (partial && partial->ok() && !partial->out.empty()) {
    return folder + " is a partial clone that lacks objects. Make a full clone of its origin and give that path.";
  }
  auto branches = repository_.text({"for-each-ref", "--count=1", "refs/heads"}, "listing the branches of " + folder);
  if (!branches) return tl::unexpected(branches.error());
  if (branches->empty()) return folder + " has no commit yet. Make a first commit in it and try again.";
  return std::string();
}

expected<std::optional<OwnerBranch>> OwnerRepository::branch(const std::string& name) const {
  auto said = repository_.text(
      {"for-each-ref", "--format=%(refname)%00%(objectname)%00%(worktreepath)%00", "refs/heads/" + name},
      "looking up " + name + " in " + repository_.folder());
  if (!said) return tl::unexpected(said.error());
  std::string_view rest = *said;
  if (next_field(rest) != "refs/heads/" + name) return std::nullopt;
  OwnerBranch branch;
  branch.tip = next_field(rest);
  branch.worktree = next_field(rest);
  // The record of a checkout whose folder was deleted.
  if (!branch.worktree.empty() && !is_folder(branch.worktree)) branch.worktree.clear();
  return branch;
}

expected<std::optional<std::string>> OwnerRepository::default_branch(const std::string& wanted) const {
  std::vector<std::string> candidates;
  if (!wanted.empty()) candidates.push_back(wanted);
  for (const char* symbolic : {"refs/remotes/origin/HEAD", "HEAD"}) {
    auto said = repository_.call({"symbolic-ref", "--quiet", symbolic});
    if (!said) return tl::unexpected(said.error());
    const std::string ref = first_line(said->out);
    for (const std::string_view prefix : {"refs/remotes/origin/", "refs/heads/"}) {
      if (said->ok() && ref.starts_with(prefix)) candidates.push_back(ref.substr(prefix.size()));
    }
    if (std::string_view(symbolic) != "HEAD") candidates.insert(candidates.end(), {"main", "master"});
  }
  for (const std::string& candidate : candidates) {
    auto found = branch(candidate);
    if (!found) return tl::unexpected(found.error());
    if (*found) return candidate;
  }
  return std::nullopt;
}

expected<std::string> OwnerRepository::remote_url(const std::string& remote) const {
  auto said = repository_.call({"remote", "get-url", "--push", "--end-of-options", remote});
  if (!said) return tl::unexpected(said.error());
  if (said->ok()) return first_line(said->out);
  return fail(Error::Code::not_found, repository_.folder() + " has no remote " + remote,
              "set the rig's push_remote to one of `git remote`, to a URL, or to nothing");
}

expected<bool> OwnerRepository::being_rebased(const std::string& name) const {
  auto common = repository_.text({"rev-parse", "--path-format=absolute", "--git-common-dir"},
                                 "looking for the git folder of " + repository_.folder());
  if (!common) return tl::unexpected(common.error());
  std::vector<fs::path> places = {*common};
  std::error_code ignored;
  for (const auto& worktree : fs::directory_iterator(*common + "/worktrees", ignored)) {
    places.push_back(worktree.path());
  }
  for (const fs::path& place : places) {
    for (const char* kind : {"rebase-merge", "rebase-apply"}) {
      std::ifstream file(place / kind / "head-name");
      std::string ref;
      if (std::getline(file, ref) && ref == "refs/heads/" + name) return true;
    }
  }
  return false;
}

expected<std::vector<std::string>> OwnerRepository::without_filters(const git::Repository& checkout) const {
  auto said = checkout.call({"config", "--null", "--name-only", "--get-regexp", "^filter\\..*\\."});
  if (!said) return tl::unexpected(said.error());
  std::set<std::string> drivers;
  for (std::string_view rest = said->out; !rest.empty();) {
    const std::string_view key = next_field(rest);
    drivers.emplace(key.substr(0, key.rfind('.')));
  }
  std::vector<std::string> config;
  for (const std::string& driver : drivers) {
    for (const char* setting : {".clean=", ".smudge=", ".process=", ".required=false"}) {
      config.push_back(driver + setting);
    }
  }
  return config;
}

expected<std::string> OwnerRepository::filtered_file(const git::Repository& checkout, const std::string& from,
                                                     const std::string& to) const {
  git::Call call;
  call.output_limit = std::size_t{16} << 20;
  auto changed = checkout.call({"diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to}, call);
  if (auto ok = git::done(changed, "listing what changes in " + checkout.folder()); !ok) {
    return tl::unexpected(ok.error());
  }
  call.input = changed->out;
  auto said = checkout.call({"check-attr", "-z", "--stdin", "filter"}, call);
  if (auto ok = git::done(said, "reading attributes in " + checkout.folder()); !ok) return tl::unexpected(ok.error());
  for (std::string_view rest = said->out; !rest.empty();) {
    const std::string file(next_field(rest));
    next_field(rest);  // the attribute's name
    const std::string_view value = next_field(rest);
    if (value != "unspecified" && value != "unset") return file;
  }
  return std::string();
}

expected<std::string> OwnerRepository::obstacle(const std::string& name, const OwnerBranch& branch) const {
  auto rebased = being_rebased(name);
  if (!rebased) return tl::unexpected(rebased.error());
  if (*rebased) return name + " is being rebased in " + repository_.folder() + "; finish or abort the rebase";
  if (branch.worktree.empty()) return std::string();
  const git::Repository checkout = git::Repository::checkout(*git_, branch.worktree);
  git::Call call;
  auto filters = without_filters(checkout);
  if (!filters) return tl::unexpected(filters.error());
  call.config = *filters;
  auto status = checkout.text({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"},
                              "looking for changes in " + branch.worktree, call);
  if (!status) return tl::unexpected(status.error());
  if (status->empty()) return std::string();
  return name + " is checked out in " + branch.worktree +
         " with changes that are not committed; commit or stash them, or check out another branch there";
}

expected<AdvanceAnswer> OwnerRepository::advance(const std::string& name, const OwnerBranch& branch,
                                                 const std::string& commit, const git::Repository& bare,
                                                 const std::string& source_ref) const {
  // Objects first, under no name: whatever follows, nothing that its owner looks at has changed by this.
  if (auto ok = git::fetch(repository_, {bare.folder(), git::Transport::local}, {source_ref}); !ok) {
    return tl::unexpected(ok.error());
  }
  if (branch.worktree.empty()) {
    auto swapped = repository_.compare_and_swap("refs/heads/" + name, commit, branch.tip);
    if (!swapped) return tl::unexpected(swapped.error());
    if (*swapped) return AdvanceAnswer{Advance::done, {}};
    return AdvanceAnswer{Advance::moved, name + " has moved in " + repository_.folder()};
  }

  const git::Repository checkout = git::Repository::checkout(*git_, branch.worktree);
  auto filtered = filtered_file(checkout, branch.tip, commit);
  if (!filtered) return tl::unexpected(filtered.error());
  if (!filtered->empty()) {
    return AdvanceAnswer{Advance::held, *filtered +
                                            " goes through a git filter (such as LFS), which townd does not run; in " +
                                            branch.worktree + " run: git merge --ff-only " + commit};
  }
  git::Call call;
  call.timeout = std::chrono::minutes(5);
  auto filters = without_filters(checkout);
  if (!filters) return tl::unexpected(filters.error());
  call.config = *filters;
  auto merged = checkout.call({"merge", "--ff-only", "--quiet", commit}, call);
  auto now = this->branch(name);
  if (!now) return tl::unexpected(now.error());
  const std::string tip = *now ? (*now)->tip : "";
  if (tip == commit) return AdvanceAnswer{Advance::done, {}};
  if (tip != branch.tip) return AdvanceAnswer{Advance::moved, name + " has moved in " + repository_.folder()};
  auto why = git::done(merged, "fast-forwarding " + branch.worktree);
  return AdvanceAnswer{Advance::held, why ? branch.worktree + " has changed branches meanwhile" : why.error().what};
}

expected<std::optional<git::Place>> pushed_to(const git::Program& git, const Rig& rig) {
  const std::string& remote = rig.config.push_remote;
  const bool by_name = !remote.empty() && remote.find_first_of("/:") == std::string::npos;
  std::string address = remote;
  if (by_name && git::is_local_path(rig.git_url)) {
    auto url = OwnerRepository(git, rig.git_url).remote_url(remote);
    if (!url) return tl::unexpected(url.error());
    address = *url;
  } else if (by_name) {
    address = rig.git_url;  // a clone of a URL has one remote
  }
  if (address.empty()) return std::nullopt;
  auto place = git::place_of(address);
  if (!place) return tl::unexpected(place.error());
  return *place;
}

}  // namespace townd
