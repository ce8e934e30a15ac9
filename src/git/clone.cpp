#include "git/clone.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "git/names.hpp"
#include "git/repository.hpp"

namespace townd::git {
namespace {

namespace fs = std::filesystem;

expected<void> write_file(const std::string& file, const std::string& text, std::ios::openmode mode) {
  std::ofstream out(file, mode | std::ios::binary);
  out << text;
  out.close();
  if (out) return {};
  return fail(Error::Code::unavailable, "cannot write " + file + ": " + std::strerror(errno));
}

/// What stands inside double quotes in a git config file.
std::string config_text(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) text += c;
  }
  return text;
}

/// Makes an empty repository in `folder` that borrows the objects of the bare one.
expected<void> make_empty(const Program& git, const CloneSpec& spec, const std::string& folder) {
  auto made =
      done(git.alone({"init", "--quiet", "--template=",
                      "--initial-branch=" + (spec.branch.empty() ? std::string("main") : spec.branch), "--", folder}),
           "making the clone " + folder);
  if (!made) return made;
  std::error_code error;
  fs::create_directories(folder + "/.git/objects/info", error);
  fs::create_directories(folder + "/.git/info", error);
  if (auto ok = write_file(folder + "/.git/objects/info/alternates", spec.bare + "/objects\n", std::ios::trunc); !ok) {
    return ok;
  }
  return write_file(folder + "/.git/config",
                    "[user]\n\tname = \"" + config_text(spec.name) + "\"\n\temail = \"" + config_text(spec.email) +
                        "\"\n[commit]\n\tgpgSign = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
                    std::ios::app);
}

/// Refs and files of the clone. Answers the commit.
expected<std::string> fill(const Program& git, const CloneSpec& spec, const std::string& folder) {
  const Repository bare = Repository::bare(git, spec.bare);
  const auto start = bare.commit_of(spec.start);
  if (!start) return tl::unexpected(start.error());
  if (!*start) {
    return fail(Error::Code::not_found, "there is no " + spec.start + " in " + spec.bare,
                "the branch or the earlier run's work is gone; `town doctor` looks at the rig");
  }
  const Repository clone = Repository::checkout(git, folder);
  std::vector<std::string> shown = spec.branches;
  if (!spec.target_branch.empty()) shown.push_back(spec.target_branch);
  for (const std::string& branch : shown) {
    const auto tip = bare.commit_of("refs/heads/" + branch);
    if (!tip) return tl::unexpected(tip.error());
    if (!*tip) continue;
    if (auto ok = clone.point("refs/remotes/origin/" + branch, **tip); !ok) return tl::unexpected(ok.error());
  }
  Call patient;
  patient.timeout = std::chrono::minutes(5);
  if (spec.branch.empty()) {
    if (auto ok = done(clone.call({"checkout", "--quiet", "--detach", "--force", **start}, patient),
                       "checking out " + folder);
        !ok) {
      return tl::unexpected(ok.error());
    }
    return **start;
  }
  if (auto ok = clone.point("refs/heads/" + spec.branch, **start); !ok) return tl::unexpected(ok.error());
  // HEAD names the branch already; a hard reset fills index and files.
  if (auto ok = done(clone.call({"reset", "--quiet", "--hard", **start}, patient), "filling " + folder); !ok) {
    return tl::unexpected(ok.error());
  }
  return **start;
}

}  // namespace

expected<std::string> clone_shared(const Program& git, const CloneSpec& spec) {
  for (const std::string& branch : {spec.branch, spec.target_branch}) {
    if (branch.empty()) continue;
    if (auto ok = validate_branch_name(branch); !ok) return tl::unexpected(ok.error());
  }
  if (::access(spec.folder.c_str(), F_OK) == 0) {
    const auto head = Repository::bare(git, spec.folder + "/.git").head();
    if (!head) return tl::unexpected(head.error());
    return head->value_or("");
  }
  const std::string partial = spec.folder + ".partial";
  if (auto ok = remove_folder(partial); !ok) return tl::unexpected(ok.error());
  if (auto ok = make_empty(git, spec, partial); !ok) return tl::unexpected(ok.error());
  auto commit = fill(git, spec, partial);
  if (!commit) return commit;
  if (::rename(partial.c_str(), spec.folder.c_str()) != 0) {
    return fail(Error::Code::unavailable, "cannot rename " + partial + ": " + std::strerror(errno));
  }
  return commit;
}

std::string agent_identity_name(const std::string& agent_name) { return agent_name + " (townd)"; }

std::string agent_identity_email(const std::string& agent_name) {
  std::string local;
  for (const char c : agent_name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) {
      local += static_cast<char>(std::tolower(byte));
    } else if (!local.empty() && local.back() != '-') {
      local += '-';
    }
  }
  while (!local.empty() && local.back() == '-') local.pop_back();
  return (local.empty() ? "agent" : local) + "@townd.local";
}

expected<void> remove_folder(const std::string& folder) {
  struct stat found {};
  if (::lstat(folder.c_str(), &found) != 0 && errno == ENOENT) return {};
  Command remove{.argv = {"rm", "-rf", "--one-file-system", "--", folder}, .env = {"PATH=" + own_path()}, .cwd = "/"};
  remove.timeout = std::chrono::minutes(5);
  auto finished = run(remove);
  if (finished && !finished->ok()) {
    // Folders without write permission (a Go module cache is one) first have to be opened. chmod -R follows no links.
    Command open = remove;
    open.argv = {"chmod", "-R", "u+rwX", "--", folder};
    if (auto opened = run(open); !opened) return tl::unexpected(opened.error());
    finished = run(remove);
  }
  if (!finished) return tl::unexpected(finished.error());
  if (finished->ok()) return {};
  return fail(Error::Code::unavailable, "cannot remove " + folder + ": " + finished->err.substr(0, 300),
              "remove the folder yourself");
}

}  // namespace townd::git
