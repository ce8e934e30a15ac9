#include "cli/keepers.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "cli/input.hpp"
#include "ports/run_folder.hpp"

namespace townd::cli {

namespace {

constexpr std::size_t kStatusLimit = 1 << 20;
constexpr int kEndWithinMs = 30'000;

/// Field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so fields are counted behind its bracket.
std::int64_t start_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto bracket = text.rfind(')');
  if (bracket == std::string::npos) return 0;
  std::istringstream fields(text.substr(bracket + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  std::int64_t start = 0;
  fields >> start;
  return start;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

/// A descriptor of the keeper's process, or -1 when it is gone. Its number may have been given to another process
/// since: start time and boot say whether it is the same one.
int opened(const run_folder::Status& status) {
  if (status.keeper_pid <= 0 || status.boot_id != boot_id()) return -1;
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(status.keeper_pid), 0));
  if (fd < 0) return -1;
  if (start_of(status.keeper_pid) == status.keeper_start) return fd;
  close(fd);
  return -1;
}

}  // namespace

expected<int> stop_keepers(const std::string& data) {
  std::vector<int> keepers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(data + "/runs", error)) {
    const auto text = file_contents((entry.path() / "status").string(), kStatusLimit);
    const auto status = text ? run_folder::read_status(*text) : std::nullopt;
    const int fd = status ? opened(*status) : -1;
    if (fd < 0) continue;
    syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0);
    keepers.push_back(fd);
  }
  int late = 0;
  for (const int fd : keepers) {
    pollfd ended{fd, POLLIN, 0};
    int polled = 0;
    do polled = poll(&ended, 1, kEndWithinMs);
    while (polled < 0 && errno == EINTR);
    if (polled == 0) ++late;
    close(fd);
  }
  if (late > 0)
    return fail(Error::Code::internal, std::to_string(late) + " agents have not ended within half a minute",
                "Their keepers are the townd-shim processes of " + data + "/runs");
  return static_cast<int>(keepers.size());
}

}  // namespace townd::cli
