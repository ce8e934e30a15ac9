#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>

#include "observe/crash_note.hpp"
#include "server/daemon.hpp"
#include "server/version.hpp"

namespace {

int end_pipe[2];  ///< a signal handler may write to it and do little else

extern "C" void on_end(int) {
  const int before = errno;
  [[maybe_unused]] const ssize_t written = write(end_pipe[1], "e", 1);
  errno = before;
}
extern "C" void on_nothing(int) {}

/// Handlers, not masks or SIG_IGN: those would go on to every agent that is started.
bool catch_signals() {
  if (pipe2(end_pipe, O_CLOEXEC) != 0) return false;
  std::signal(SIGPIPE, on_nothing);
  return std::signal(SIGTERM, on_end) != SIG_ERR && std::signal(SIGINT, on_end) != SIG_ERR;
}

void wait_for_the_end() {
  char byte = 0;
  while (read(end_pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

}  // namespace

/// The daemon: starts, waits for SIGTERM or SIGINT, ends.
int main(int argc, char** argv) {
  const townd::DaemonOptions options = townd::parse_options(argc, argv);
  if (options.over) {
    (options.exit_code == 0 ? std::cout : std::cerr) << options.text;
    return options.exit_code;
  }
  if (!catch_signals()) {
    std::cerr << "townd: the system has no pipe left; close programs and start it again\n";
    return 1;
  }
  townd::note_crashes(townd::crash_note_file(options.data), townd::kVersion);
  const auto daemon = townd::Daemon::start(options);
  if (!daemon) {
    const townd::Error& error = daemon.error();
    std::cerr << "townd: " << error.what << (error.hint.empty() ? "" : "; " + error.hint) << "\n";
    return error.code == townd::Error::Code::invalid ? 2 : 1;
  }
  wait_for_the_end();
  return 0;
}
