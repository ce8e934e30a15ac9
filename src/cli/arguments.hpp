#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace townd::cli {

/// What the command line asked for. Without a command it is wrong, or `text` (help) is to be printed; `exit` is what
/// `town` ends with.
struct Asked {
  const Command* command = nullptr;
  Values values;
  std::string text;
  std::optional<Error> wrong;
  bool json = false;  ///< answers and errors are read by a program
  int exit = kOk;
};

/// The parameters that every command takes (`--json`, `--town`, …).
std::span<const Param> everywhere();

/// Parses `argv` against the commands. A typo names the nearest command.
Asked parse(std::span<const Command> commands, const std::vector<std::string>& argv);

}  // namespace townd::cli
