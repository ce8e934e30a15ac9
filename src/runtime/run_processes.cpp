#include "runtime/run_processes.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>

#include "runtime/files.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 10;       ///< a process may start another while it is being ended
constexpr int kEndsWithin = 500;  ///< milliseconds from a KILL to the end

/// Empty: of no run of this folder, or no longer there. What has ended and waits for its parent has no environment.
std::string run_of(pid_t pid, const std::string& data) {
  const auto environment = read_whole("/proc/" + std::to_string(pid) + "/environ");
  if (!environment) return {};
  const std::string whole = std::string{'\0'} + *environment;
  const std::string start = std::string{'\0'} + "TOWN_CLONE=" + data + "/clones/";
  const auto at = whole.find(start);
  if (at == std::string::npos) return {};
  std::string name = whole.substr(at + start.size());
  name.resize(std::min(name.find('\0'), name.size()));
  return name.find('/') == std::string::npos ? name : std::string();
}

}  // namespace

std::map<std::string, std::vector<pid_t>> processes_of_runs(const std::string& data) {
  std::map<std::string, std::vector<pid_t>> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size() || pid == ::getpid()) continue;
    if (const std::string run = run_of(pid, data); !run.empty()) found[run].push_back(pid);
  }
  return found;
}

expected<void> end_processes_of(const std::string& data, const std::string& run_part) {
  for (int round = 0; round < kRounds; ++round) {
    const auto all = processes_of_runs(data);
    const auto left = all.find(run_part);
    if (left == all.end()) return {};
    std::vector<File> processes;
    for (const pid_t pid : left->second) {
      File process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
      // Opened first, asked after: from here on the number cannot come to mean another process.
      if (process && run_of(pid, data) == run_part) processes.push_back(std::move(process));
    }
    for (const File& process : processes) ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    for (const File& process : processes) {
      pollfd ended{process.get(), POLLIN, 0};
      ::poll(&ended, 1, kEndsWithin);
    }
  }
  return fail(Error::Code::unavailable, "processes of run " + run_part + " do not end", "look at them with ps");
}

}  // namespace townd
