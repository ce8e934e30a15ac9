#include "runtime/keeper_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace townd {
namespace {

namespace fs = std::filesystem;

File open_pid(pid_t pid) { return File{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}; }

void signal_to(const File& process, int number) { ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0); }

bool ended_within(const File& process, std::int64_t ms) {
  pollfd fd{process.get(), POLLIN, 0};
  return ::poll(&fd, 1, static_cast<int>(ms)) > 0;
}

/// Field 22 of /proc/<pid>/stat, counted from the end of the name, which may hold anything.
std::int64_t start_ticks(pid_t pid) {
  const auto text = read_whole("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return 0;
  auto at = text->rfind(')');
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = text->find(' ', at + 1);
  std::int64_t ticks = 0;
  if (at != std::string::npos) std::from_chars(text->data() + at + 1, text->data() + text->size(), ticks);
  return ticks;
}

std::string boot_id() {
  auto text = read_whole("/proc/sys/kernel/random/boot_id").value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// The process has ended and only waits for its parent to ask.
bool is_zombie(pid_t pid) {
  const auto text = read_whole("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return true;
  const auto at = text->rfind(')');
  return at == std::string::npos || at + 2 >= text->size() || (*text)[at + 2] == 'Z' || (*text)[at + 2] == 'X';
}

}  // namespace

bool KeeperLink::exists() const { return ::access(folder_.c_str(), F_OK) == 0; }

std::optional<run_folder::Spec> KeeperLink::spec() const {
  const auto text = read_whole(folder_ + "/spec");
  return text ? run_folder::read_spec(*text) : std::nullopt;
}

std::optional<run_folder::Status> KeeperLink::status() const {
  const auto text = read_whole(folder_ + "/status");
  return text ? run_folder::read_status(*text) : std::nullopt;
}

std::optional<run_folder::Activity> KeeperLink::activity() const {
  const auto text = read_whole(folder_ + "/activity");
  return text ? run_folder::read_activity(*text) : std::nullopt;
}

expected<void> KeeperLink::put_tombstone() const {
  return make_folders(folder_).and_then([&] { return replace_whole(folder_ + "/tombstone", ""); });
}

bool KeeperLink::has_tombstone() const { return ::access((folder_ + "/tombstone").c_str(), F_OK) == 0; }

bool KeeperLink::kept() const {
  const File lock{::open((folder_ + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!lock) return false;
  // Asked for and not taken, so that a keeper that is just starting never finds it held by us.
  struct flock asked {};
  asked.l_type = F_WRLCK;
  return ::fcntl(lock.get(), F_OFD_GETLK, &asked) != 0 || asked.l_type != F_UNLCK;
}

bool KeeperLink::own() const {
  const auto meant = spec();
  if (!meant) return false;
  // `<data>/clones/<run>` was written for `<data>/runs/<run>`. By inode: a link to the data folder is no copy, and a
  // folder that was moved has nothing where it was.
  const fs::path data = fs::path(meant->folder).parent_path().parent_path();
  struct stat here {
  }, written_for{};
  if (::stat(folder_.c_str(), &here) != 0) return false;
  if (::stat((data / "runs" / fs::path(folder_).filename()).c_str(), &written_for) != 0) return true;
  return here.st_dev == written_for.st_dev && here.st_ino == written_for.st_ino;
}

File KeeperLink::open_keeper() const {
  const auto said = status();
  if (!own()) return File{};
  if (!said || said->keeper_pid <= 0 || said->boot_id != boot_id()) return File{};
  const auto meant = spec();
  if (!meant || meant->run_id != said->run_id) return File{};
  auto process = open_pid(static_cast<pid_t>(said->keeper_pid));
  // Opened first, compared after: from here on the number cannot come to mean another process.
  if (!process || start_ticks(static_cast<pid_t>(said->keeper_pid)) != said->keeper_start) return File{};
  if (is_zombie(static_cast<pid_t>(said->keeper_pid))) return File{};
  return process;
}

expected<int> KeeperLink::spawn(const std::string& shim, const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> texts;
  for (const auto& [name, value] : environment) texts.push_back(name + "=" + value);
  std::vector<char*> env;
  for (auto& text : texts) env.push_back(text.data());
  env.push_back(nullptr);
  std::string program = shim;
  std::string folder = folder_;
  char* argv[] = {program.data(), folder.data(), nullptr};

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  const auto problems = folder_ + "/keeper.err";
  posix_spawn_file_actions_addopen(&files, 2, problems.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);

  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &files, &attributes, argv, env.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    return fail(Error::Code::internal, "townd-shim cannot be started: " + shim + ": " + std::strerror(error),
                "it belongs beside townd; reinstall townd");
  return pid;
}

expected<void> KeeperLink::end(Duration patience) const {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + std::chrono::milliseconds(patience.ms);
  // A keeper that was just spawned holds the lock before it has said who it is.
  while (kept() && clock::now() < until) {
    const auto keeper = open_keeper();
    if (!keeper) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    signal_to(keeper, SIGTERM);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    if (!ended_within(keeper, std::max<std::int64_t>(left, 0))) {
      signal_to(keeper, SIGKILL);
      ended_within(keeper, 1000);
    }
    break;
  }
  for (int round = 0; round < 200; ++round) {
    if (!kept() && sweep()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail(Error::Code::unavailable, "processes of the run in " + folder_ + " do not end", "look at them with ps");
}

std::vector<int> KeeperLink::orphans() const {
  std::vector<int> found;
  const auto said = status();
  if (!said || said->boot_id != boot_id() || !own()) return found;
  for (const auto& group : said->cgroups) {
    std::ifstream members{group + "/cgroup.procs"};
    for (int pid = 0; members >> pid;) found.push_back(pid);
  }
  const std::string mark = std::string{'\0'} + "TOWN_RUN=" + said->run_id + '\0';
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    int pid = 0;
    const auto name = entry.path().filename().string();
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size() || pid == ::getpid()) continue;
    const auto environment = read_whole(entry.path().string() + "/environ");
    const auto home = spec();
    if (!environment || !home) continue;
    // The run's id may be another data folder's too; its clone's path is not, but in a copy, which is not `own`.
    const auto whole = std::string{'\0'} + *environment;
    if (whole.find(mark) != std::string::npos && whole.find("TOWN_CLONE=" + home->folder + '\0') != std::string::npos &&
        !is_zombie(pid))
      found.push_back(pid);
  }
  return found;
}

bool KeeperLink::sweep() const {
  std::vector<File> left;
  for (const int pid : orphans())
    if (File process = open_pid(pid)) left.push_back(std::move(process));
  for (const File& process : left) signal_to(process, SIGSTOP);
  for (const File& process : left) signal_to(process, SIGKILL);
  // One that is on its way out has no environment any more: nothing but this would see it.
  for (const File& process : left) ended_within(process, 1000);
  return left.empty();
}

std::vector<std::int64_t> KeeperLink::log_offsets() const {
  std::vector<std::int64_t> offsets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("log.")) continue;
    std::int64_t offset = -1;
    const auto parsed = std::from_chars(name.data() + 4, name.data() + name.size(), offset);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) offsets.push_back(offset);
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

std::int64_t KeeperLink::log_end() const {
  const auto offsets = log_offsets();
  if (offsets.empty()) return 0;
  struct stat info {};
  const auto path = folder_ + "/log." + std::to_string(offsets.back());
  return offsets.back() + (::stat(path.c_str(), &info) == 0 ? info.st_size : 0);
}

KeeperLink::LogPart KeeperLink::log(std::int64_t offset, std::int64_t limit) const {
  LogPart out{offset, {}};
  for (const auto start : log_offsets()) {
    std::ifstream file{folder_ + "/log." + std::to_string(start), std::ios::binary | std::ios::ate};
    if (!file) continue;
    const std::int64_t end = start + static_cast<std::int64_t>(file.tellg());
    if (out.bytes.empty()) out.from = std::max(offset, start);
    const auto at = out.from + static_cast<std::int64_t>(out.bytes.size());
    const auto size = std::min(end - at, limit - static_cast<std::int64_t>(out.bytes.size()));
    if (at < start || size <= 0) continue;
    std::string part(static_cast<std::size_t>(size), '\0');
    file.seekg(at - start);
    file.read(part.data(), size);
    part.resize(static_cast<std::size_t>(file.gcount()));
    out.bytes += part;
  }
  return out;
}

std::string KeeperLink::log_tail(std::int64_t bytes) const {
  const auto end = log_end();
  auto text = log(std::max<std::int64_t>(end - bytes, 0), bytes).bytes;
  if (end > bytes)
    if (const auto line = text.find('\n'); line != std::string::npos) text.erase(0, line + 1);
  return text;
}

}  // namespace townd
