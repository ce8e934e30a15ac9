#include "cli/daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/process.hpp"
#include "cli/transport.hpp"
#include "store/data_folder.hpp"

namespace townd::cli {

namespace {

constexpr std::chrono::seconds kReadyWithin{60};  // 100,000 live beads load in under one
constexpr std::chrono::milliseconds kLookAgain{40};
constexpr std::chrono::seconds kReadyAnswers{20};  // one that is stopped takes what is sent and says nothing
constexpr int kEndWithinMs = 60'000;

std::string socket_of(const std::string& data) { return data + "/townd.sock"; }

bool has_ended(pid_t pid) {
  int status = 0;
  return waitpid(pid, &status, WNOHANG) == pid;
}

/// The last lines of <data>/townd.log from a byte on, for an error.
std::string log_tail(const std::string& data, std::streamoff from) {
  constexpr std::size_t kLines = 8;
  std::ifstream log(data + "/townd.log");
  log.seekg(from);
  std::deque<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(line);
    if (lines.size() > kLines) lines.pop_front();
  }
  std::string text;
  for (const std::string& line : lines) text += "  " + line + "\n";
  if (!text.empty()) text.pop_back();
  return text.empty() ? "  (it said nothing)" : text;
}

/// Whether another townd kept this one from starting: one that somebody else has just started, which will answer soon,
/// or one that is being ended and has not let go of the folder yet.
bool was_in_use(const std::string& said) { return said.find("is in use by process") != std::string::npos; }

/// The bytes of the log so far: what comes after them is said by who is launched next.
std::streamoff log_size(const std::string& data) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(data + "/townd.log", missing);
  return missing ? 0 : static_cast<std::streamoff>(size);
}

}  // namespace

bool daemon_ready(const std::string& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(socket_of(data), ignored)) return false;
  Transport transport({socket_of(data), {}, {}}, kReadyAnswers);
  const auto reply = transport.send("GET", "/readyz", {}, {});
  return reply && reply->status == 200;
}

expected<bool> start_daemon(const std::string& data, const std::vector<std::string>& arguments, Terminal& terminal) {
  if (daemon_ready(data)) return false;
  const std::string program = program_beside_us("townd");
  if (program.empty())
    return fail(Error::Code::internal, "townd is neither beside town nor in PATH", "Install both programs together.");
  std::error_code error;
  std::filesystem::create_directories(data, error);
  if (error) return fail(Error::Code::internal, "cannot make the data folder " + data + ": " + error.message());
  std::filesystem::permissions(data, std::filesystem::perms::owner_all, error);

  Program townd{{program, "--data", data}, "/", {}, {"TOWN_TOKEN"}};
  townd.argv.insert(townd.argv.end(), arguments.begin(), arguments.end());
  terminal.progress("starting townd on " + data);
  std::streamoff said_before = log_size(data);
  auto pid = launch(townd, data + "/townd.log");
  if (!pid) return tl::unexpected(pid.error());
  const auto deadline = std::chrono::steady_clock::now() + kReadyWithin;
  for (bool ended = false; !daemon_ready(data); std::this_thread::sleep_for(kLookAgain)) {
    ended = ended || has_ended(*pid);
    if (ended && !was_in_use(log_tail(data, said_before)))
      return fail(Error::Code::internal, "townd ended while starting:\n" + log_tail(data, said_before),
                  "The whole log is " + data + "/townd.log");
    if (ended && DataFolder::lock(data)) {
      said_before = log_size(data);
      pid = launch(townd, data + "/townd.log");
      if (!pid) return tl::unexpected(pid.error());
      ended = false;
    }
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Error::Code::unavailable,
                  "townd was started but is not ready after a minute:\n" + log_tail(data, said_before),
                  "The whole log is " + data + "/townd.log");
  }
  terminal.progress_done();
  return true;
}

pid_t daemon_pid(const std::string& data) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = socket_of(data);
  if (path.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  close(fd);
  return known ? peer.pid : 0;
}

expected<bool> stop_daemon(const std::string& data) {
  const pid_t pid = daemon_pid(data);
  if (pid <= 0) return false;
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return false;
  // The socket may have changed hands between the two calls; a pidfd never does.
  if (daemon_pid(data) != pid || syscall(SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0) != 0) {
    const int error = errno;
    close(fd);
    return fail(Error::Code::forbidden, std::string("cannot end townd: ") + std::strerror(error));
  }
  pollfd ended{fd, POLLIN, 0};
  int polled = 0;
  do polled = poll(&ended, 1, kEndWithinMs);
  while (polled < 0 && errno == EINTR);
  close(fd);
  if (polled == 0)
    return fail(Error::Code::internal, "townd (process " + std::to_string(pid) + ") has not ended within a minute",
                "Its log is " + data + "/townd.log");
  return true;
}

}  // namespace townd::cli
