#include "git/program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "git/names.hpp"
#include "git/user_config.hpp"

namespace townd::git {
namespace {

/// The earliest git that reads its global configuration from GIT_CONFIG_GLOBAL.
constexpr std::pair<int, int> kOldest{2, 32};

/// Stronger than whatever a repository's own configuration says.
constexpr std::array<const char*, 28> kRules = {
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "core.pager=cat",
    "core.quotePath=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "push.gpgSign=false",
    "merge.verifySignatures=false",
    "merge.autoStash=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    // Flaws of old tools in the history of many well-known repositories; none of them can do harm.
    "fetch.fsck.zeroPaddedFilemode=warn",
    "fetch.fsck.missingSpaceBeforeDate=warn",
    "fetch.fsck.badTimezone=warn",
    "filter.lfs.smudge=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
};

/// Only what says where the user's keys, proxies and certificates are.
constexpr std::array<const char*, 13> kInherited = {
    "HOME",      "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "http_proxy",    "https_proxy",  "HTTPS_PROXY", "all_proxy",
    "ALL_PROXY", "no_proxy",        "NO_PROXY",      "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"};

std::vector<std::string> base_environment() {
  std::vector<std::string> env = {"PATH=" + own_path(),    "LANG=C.UTF-8",
                                  "GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1",
                                  "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=",
                                  "GIT_NO_LAZY_FETCH=1",   "GIT_NO_REPLACE_OBJECTS=1",
                                  "GIT_LFS_SKIP_SMUDGE=1", "GIT_OPTIONAL_LOCKS=0",
                                  "GIT_EDITOR=false",      "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20"};
  for (const char* name : kInherited) {
    const char* value = std::getenv(name);
    if (value != nullptr) env.push_back(std::string(name) + "=" + value);
  }
  return env;
}

/// Replaces the file whole, so that another townd tool that reads it now sees the old or the new one.
expected<void> write_private(const std::string& file, const std::string& text) {
  const std::string fresh = file + "." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(Error::Code::unavailable, "cannot write " + fresh + ": " + std::strerror(errno));
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  ::close(fd);
  if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) {
    return fail(Error::Code::unavailable, "cannot write " + file + ": " + std::strerror(written ? errno : error));
  }
  return {};
}

expected<void> check_version(const std::string& said) {
  std::pair<int, int> version{0, 0};
  std::sscanf(said.c_str(), "git version %d.%d", &version.first, &version.second);
  if (version >= kOldest) return {};
  return fail(Error::Code::unavailable, "git is too old: " + said, "install git 2.32 or later");
}

const char* allowed_protocols(Transport transport) {
  switch (transport) {
    case Transport::none: return "none";
    case Transport::local: return "file";
    case Transport::network: return "https:ssh";
  }
  return "none";
}

/// Git's last words, without its progress lines and without secrets.
std::string last_words(const Finished& finished) {
  std::string words = finished.err.empty() ? finished.out : finished.err;
  while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
  constexpr std::size_t kShown = 600;
  if (words.size() > kShown) words.erase(0, words.size() - kShown);
  for (char& c : words) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  }
  return without_credentials(words);
}

}  // namespace

expected<Program> Program::open(const std::string& folder) {
  Program git;
  git.program_ = find_program("git", own_path());
  if (git.program_.empty()) {
    return fail(Error::Code::not_found, "there is no git program in PATH", "install git: apt install git");
  }
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);

  Command version{.argv = {git.program_, "version"}, .env = base_environment(), .cwd = "/"};
  const auto said = text_of(run(version), "asking git for its version");
  if (!said) return tl::unexpected(said.error());
  if (auto ok = check_version(*said); !ok) return tl::unexpected(ok.error());

  // No user config at all, and one that git cannot read, both give nothing to take over.
  Command listing{.argv = {git.program_, "config", "--global", "--includes", "--null", "--list"},
                  .env = base_environment(),
                  .cwd = "/"};
  const auto listed = run(listing);
  const std::string config = folder + "/git.config";
  const std::string text = listed && listed->ok() ? allowed_user_config(listed->out) : std::string();
  if (auto ok = write_private(config, text); !ok) return tl::unexpected(ok.error());

  git.env_ = base_environment();
  git.env_.push_back("GIT_CONFIG_GLOBAL=" + config);
  return git;
}

Program Program::with_header(const std::string& url, const std::string& header) const {
  Program let_in = *this;
  const std::pair<std::string, std::string> entries[] = {{"http." + url + ".extraHeader", header},
                                                         {"http." + url + ".followRedirects", "false"}};
  let_in.env_.push_back("GIT_CONFIG_COUNT=" + std::to_string(std::size(entries)));
  for (std::size_t i = 0; i < std::size(entries); ++i) {
    let_in.env_.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + entries[i].first);
    let_in.env_.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + entries[i].second);
  }
  return let_in;
}

void Program::set_identity(const std::string& name, const std::string& email) {
  name_ = name;
  email_ = email;
}

expected<Finished> Program::in(const std::string& where, std::vector<std::string> args, const Call& call) const {
  // The folder was named by townd's owner or made by townd; whom its files belong to is not the question here.
  return run_git({"-C", where, "-c", "safe.directory=*"}, std::move(args), call);
}

expected<Finished> Program::on(const std::string& git_dir, std::vector<std::string> args, const Call& call) const {
  return run_git({"--git-dir=" + git_dir}, std::move(args), call);
}

expected<Finished> Program::alone(std::vector<std::string> args, const Call& call) const {
  return run_git({}, std::move(args), call);
}

expected<Finished> Program::run_git(std::vector<std::string> place, std::vector<std::string> args,
                                    const Call& call) const {
  Command command;
  command.argv = {program_};
  command.argv.insert(command.argv.end(), place.begin(), place.end());
  for (const char* rule : kRules) command.argv.insert(command.argv.end(), {"-c", rule});
  for (const std::string& entry : call.config) command.argv.insert(command.argv.end(), {"-c", entry});
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  command.env = env_;
  command.env.push_back(std::string("GIT_ALLOW_PROTOCOL=") + allowed_protocols(call.transport));
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    command.env.push_back(std::string("GIT_") + who + "_NAME=" + name_);
    command.env.push_back(std::string("GIT_") + who + "_EMAIL=" + email_);
    if (!call.date.empty()) command.env.push_back(std::string("GIT_") + who + "_DATE=" + call.date);
  }
  command.cwd = "/";
  command.input = call.input;
  command.timeout = call.timeout;
  command.output_limit = call.output_limit;
  command.file_size_limit = call.file_size_limit;
  return run(command);
}

expected<std::string> text_of(expected<Finished> finished, const std::string& doing) {
  if (auto ok = done(finished, doing); !ok) return tl::unexpected(ok.error());
  std::string text = std::move(finished->out);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

expected<void> done(const expected<Finished>& finished, const std::string& doing) {
  if (!finished) return tl::unexpected(finished.error());
  if (finished->timed_out) {
    return fail(Error::Code::unavailable,
                doing + ": git was stopped after " + std::to_string(finished->took.count() / 1000) + " s");
  }
  if (finished->ok()) return {};
  std::string why = last_words(*finished);
  if (why.empty()) {
    why = finished->signal != 0 ? "git ended by signal " + std::to_string(finished->signal)
                                : "git ended with " + std::to_string(finished->exit_code);
  }
  return fail(Error::Code::unavailable, doing + ": " + why);
}

}  // namespace townd::git
