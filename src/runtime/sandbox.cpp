#include "runtime/sandbox.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "git/spawn.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

/// The home folder that the owner really has, whatever HOME says.
std::string owner_home() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

bool beneath(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

/// Places that hold other people's things, sockets of engines and agents, and what townd keeps to itself.
std::vector<std::string> masked_places(const LocalSettings& settings) {
  std::vector<std::string> places{"/home", "/root", "/run", "/tmp", "/var/tmp"};
  if (!fs::is_symlink("/var/run")) places.emplace_back("/var/run");
  const char* home = std::getenv("HOME");
  for (const auto& folder : {owner_home(), std::string{home != nullptr ? home : ""}, settings.data})
    if (folder.size() > 1 && folder.front() == '/') places.push_back(folder);
  std::vector<std::string> existing;
  std::error_code error;
  for (const auto& place : places)
    if (fs::is_directory(place, error) && std::find(existing.begin(), existing.end(), place) == existing.end())
      existing.push_back(place);
  // Outer ones first, as each mask hides what is below it.
  std::sort(existing.begin(), existing.end());
  return existing;
}

void put(std::vector<std::string>& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

/// Puts a program of a masked place back: a link as a link, a package with all of its node_modules, else the file.
void put_program(std::vector<std::string>& words, const std::string& program) {
  std::error_code error;
  const auto real = fs::canonical(program, error).string();
  if (error) return;
  constexpr std::string_view kPackages = "/node_modules/";
  const auto at = real.find(kPackages);
  const auto root = at == std::string::npos ? real : real.substr(0, at + kPackages.size() - 1);
  put(words, {"--ro-bind", root, root});
  if (program != real && !beneath(program, root)) put(words, {"--symlink", real, program});
  // A script of a node that lives beside it (nvm and the like) needs that node.
  const auto node = fs::path{program}.parent_path() / "node";
  if (node.string() != program && fs::exists(node, error) && !beneath(node.string(), root))
    put(words, {"--ro-bind", node.string(), node.string()});
}

}  // namespace

std::vector<std::string> sandbox_words(const std::string& bwrap, const LocalSettings& settings,
                                       const SandboxPlan& plan) {
  std::vector<std::string> words{bwrap,
                                 "--die-with-parent",
                                 "--new-session",
                                 "--unshare-user",
                                 "--unshare-pid",
                                 "--unshare-ipc",
                                 "--unshare-uts",
                                 "--unshare-cgroup-try",
                                 "--cap-drop",
                                 "ALL",
                                 "--hostname",
                                 "town",
                                 "--ro-bind",
                                 "/",
                                 "/",
                                 "--dev",
                                 "/dev",
                                 "--proc",
                                 "/proc"};
  const auto masks = masked_places(settings);
  for (const auto& place : masks) {
    if (place == "/tmp")
      put(words, {"--bind", plan.places.tmp, place});
    else
      put(words, {"--tmpfs", place});
  }
  // Root is a user inside: the kernel lets only such a one confine its gates once more. It still owns root's files, so
  // what only root may read is covered.
  if (::geteuid() == 0) {
    put(words, {"--uid", "1000", "--gid", "1000"});
    for (const auto* secret : {"/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-"})
      if (fs::exists(secret)) put(words, {"--ro-bind", "/dev/null", secret});
  }
  // The resolver's file is often a link into /run.
  std::error_code error;
  if (const auto resolver = fs::canonical("/etc/resolv.conf", error).string(); !error && beneath(resolver, "/run"))
    put(words, {"--ro-bind", resolver, resolver});

  const auto masked = [&](const std::string& path) {
    return std::any_of(masks.begin(), masks.end(), [&](const auto& place) { return beneath(path, place); });
  };
  put(words, {"--ro-bind-try", settings.bin, settings.bin});
  for (const auto& folder : settings.read_only) put(words, {"--ro-bind-try", folder, folder});
  for (const auto& program : plan.programs)
    if (masked(program)) put_program(words, program);
  put(words, {"--bind", plan.places.home, plan.places.home});
  put(words, {"--bind", plan.places.tmp, plan.places.tmp});
  for (const auto& [from, to] : plan.config) put(words, {"--bind", from, to});
  if (!plan.rig_repository.empty()) put(words, {"--ro-bind", plan.rig_repository, plan.rig_repository});
  put(words, {"--bind", plan.places.clone, plan.places.clone});
  if (!settings.agent_socket.empty()) {
    const auto door = fs::path{settings.agent_socket}.parent_path().string();
    put(words, {"--ro-bind-try", door, door});
  }
  // What is written beside the places above would be lost without a word; it fails instead.
  for (const auto& place : masks)
    if (place != "/tmp" && place != "/var/tmp") put(words, {"--remount-ro", place});
  put(words, {"--chdir", plan.places.clone, "--"});
  return words;
}

std::vector<std::pair<std::string, std::string>> preset_config(const Preset& preset,
                                                               const std::map<std::string, std::string>& env,
                                                               const std::string& home) {
  std::vector<std::pair<std::string, std::string>> found;
  std::error_code error;
  if (const auto named = env.find(preset.config_variable); named != env.end()) {
    if (fs::is_directory(named->second, error)) found.emplace_back(named->second, named->second);
    return found;
  }
  const char* own = std::getenv("HOME");
  const auto from = own != nullptr ? std::string{own} : owner_home();
  for (const auto& name : preset.config)
    if (fs::exists(from + "/" + name, error)) found.emplace_back(from + "/" + name, home + "/" + name);
  return found;
}

const expected<std::string>& bubblewrap() {
  static const auto found = []() -> expected<std::string> {
    const std::string hint = "install bubblewrap, or set sandbox = \"none\" for the rig";
    const auto program = find_program("bwrap", own_path());
    if (program.empty()) return fail(Error::Code::forbidden, "bubblewrap (bwrap) is not installed", hint);
    Command probe;
    probe.argv = {program, "--unshare-user", "--unshare-pid", "--ro-bind", "/",   "/",
                  "--dev", "/dev",           "--proc",        "/proc",     "true"};
    probe.env = {"PATH=" + own_path()};
    probe.timeout = std::chrono::seconds(10);
    const auto ended = run(probe);
    if (!ended) return tl::unexpected(ended.error());
    if (!ended->ok()) return fail(Error::Code::forbidden, "bubblewrap does not work here: " + ended->err, hint);
    return program;
  }();
  return found;
}

}  // namespace townd
