#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace townd::cli {

/// What the command line asked for. Without a command, `text` is to be printed (help, or what was wrong with it) and
/// `exit` is what `town` ends with.
struct Asked {
  const Command* command = nullptr;
  Values values;
  std::string text;
  int exit = kOk;
};

/// The parameters that every command takes (`--json`, `--town`, …).
std::span<const Param> everywhere();

/// Parses `argv` against the commands. A typo names the nearest command.
Asked parse(std::span<const Command> commands, const std::vector<std::string>& argv);

}  // namespace townd::cli
