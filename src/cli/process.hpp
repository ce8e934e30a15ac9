#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "git/spawn.hpp"

/// Other programs as a person's own shell would run them: with our environment. (git/spawn.hpp passes nothing on.)
namespace townd::cli {

struct Program {
  std::vector<std::string> argv;
  std::string folder;                        ///< working directory; empty: ours
  std::map<std::string, std::string> extra;  ///< added to our environment
  std::vector<std::string> without;          ///< taken out of it
};

/// Runs to its end with no input; standard output and error come back together in `out`.
expected<Finished> run_program(const Program& program, std::chrono::milliseconds timeout = std::chrono::minutes(10));

/// Starts it in a session of its own with its output appended to `log`, and does not wait.
expected<pid_t> launch(const Program& program, const std::string& log);

/// A program of ours that lies beside this one, else in PATH; empty when there is none.
std::string program_beside_us(const std::string& name);

}  // namespace townd::cli
