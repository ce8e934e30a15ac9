#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/agent_programs.hpp"
#include "cli/demo.hpp"
#include "cli/process.hpp"

namespace townd::cli::demo {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolderLimit = 60;  // a socket's path may have 107 bytes

std::atomic<bool> g_interrupted{false};  // written by a signal handler

void on_signal(int) { g_interrupted = true; }

expected<void> git(const std::string& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {"git", "-C", folder, "-c", "user.name=You", "-c", "user.email=you@example.com", "-c",
                               "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"});
  const auto finished = run_program({words,
                                     {},
                                     {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}},
                                     {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}});
  if (!finished) return tl::unexpected(finished.error());
  if (!finished->ok()) return fail(Error::Code::internal, "the demo's repository cannot be made: " + finished->out);
  return {};
}

expected<std::string> make_folder() {
  const char* wanted = std::getenv("TMPDIR");
  std::string base = wanted != nullptr && std::strlen(wanted) < kFolderLimit && *wanted == '/' ? wanted : "/tmp";
  std::string folder = base + "/town-demo.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr)
    return fail(Error::Code::internal, "cannot make a folder in " + base + ": " + std::strerror(errno));
  return folder;
}

}  // namespace

expected<Places> make_places() {
  const auto folder = make_folder();
  if (!folder) return tl::unexpected(folder.error());
  Places places{*folder, *folder + "/tally", *folder + "/data"};
  const fs::path share = share_folder() + "/demo";
  std::error_code error;
  fs::create_directories(places.data + "/presets", error);
  fs::permissions(places.data, fs::perms::owner_all, error);
  fs::copy(share / "project", places.repository, fs::copy_options::recursive, error);
  if (!error) fs::copy(share / "townd.toml", places.folder + "/townd.toml", error);
  if (!error) fs::copy(share / "preset.toml", places.data + "/presets/demo.toml", error);
  if (error) {
    remove_places(places);
    return fail(Error::Code::internal,
                "the demo's files in " + share.string() + " cannot be copied: " + error.message(),
                "Install townd whole: programs and share folder.");
  }
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "tally, which can do nothing yet"}})
    if (const auto made = git(places.repository, words); !made) {
      remove_places(places);
      return tl::unexpected(made.error());
    }
  return places;
}

void remove_places(const Places& places) {
  std::error_code error;
  fs::remove_all(places.folder, error);
}

bool sandbox_works() {
  const auto tried =
      run_program({{"bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"}, {}, {}, {}},
                  std::chrono::seconds(20));
  return tried && tried->ok();
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a reader that goes away must not keep the demo from cleaning up
  sigaction(SIGPIPE, &action, nullptr);
}

bool interrupted() { return g_interrupted; }

std::vector<std::string> daemon_arguments(const Places& places) {
  return {"--listen", "127.0.0.1:0", "--config", places.folder + "/townd.toml"};
}

}  // namespace townd::cli::demo
