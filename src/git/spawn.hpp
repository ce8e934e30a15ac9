#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"

namespace townd {

/// What to keep of an output that is longer than its limit.
enum class Keep { head, tail };

/// A program to be run to its end. Nothing is inherited: not the environment, not a descriptor, not a signal mask.
struct Command {
  std::vector<std::string> argv;  ///< [0] is a path, or a name looked up in the PATH of `env`
  std::vector<std::string> env;   ///< `KEY=VALUE`, complete
  std::string cwd{};              ///< empty: the caller's
  std::string input{};            ///< what it reads from its standard input
  std::chrono::milliseconds timeout = std::chrono::minutes(1);
  std::size_t output_limit = 1 << 20;  ///< bytes kept of each stream; the rest is read and dropped
  Keep keep = Keep::head;
  bool merge_stderr = false;                     ///< both streams, as they come, into `out`
  std::function<void(std::string_view)> echo{};  ///< also gets all of `out`, as it comes
  std::size_t file_size_limit = 0;               ///< no file it writes may grow beyond this (RLIMIT_FSIZE); 0: no limit
};

struct Finished {
  int exit_code = -1;  ///< meaningful when `signal` is 0
  int signal = 0;      ///< what ended it, or 0
  bool timed_out = false;
  bool truncated = false;  ///< some output was dropped
  std::string out;
  std::string err;
  std::chrono::milliseconds took{0};

  [[nodiscard]] bool ok() const { return signal == 0 && !timed_out && exit_code == 0; }
};

/// Starts the command in a process group of its own and waits for its end. On a time-out, and once its first process
/// has ended, everything left in the group is killed, so nobody can hold the caller by keeping a pipe open. Answers an
/// Error only when it could not be started (`not_found`: no such program); any end is a value.
expected<Finished> run(const Command& command);

/// The absolute path of a program: `name` itself when it holds a slash, else the first hit in `path` (colons between).
/// Empty when there is none.
std::string find_program(std::string_view name, std::string_view path);

/// PATH of this process, or the system's usual one when it has none.
std::string own_path();

/// Any text as one word of a shell line.
std::string shell_quoted(std::string_view text);

}  // namespace townd
