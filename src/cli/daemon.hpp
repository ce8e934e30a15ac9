#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "core/expected.hpp"

/// The daemon as a process: start it, see that it is ready, end it.
namespace townd::cli {

/// Ready to work behind the socket of this data folder.
bool daemon_ready(const std::string& data);

/// Starts townd on the folder unless it runs, and waits until it is ready. `arguments` are added to its command line.
/// The value says whether it was started now.
expected<bool> start_daemon(const std::string& data, const std::vector<std::string>& arguments, Terminal& terminal);

/// The process that listens on the folder's socket, or 0.
pid_t daemon_pid(const std::string& data);

/// Asks the daemon to end and waits for it. The value says whether one was running.
expected<bool> stop_daemon(const std::string& data);

}  // namespace townd::cli
