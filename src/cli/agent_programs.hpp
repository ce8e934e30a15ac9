#pragma once

#include <string>
#include <vector>

#include "core/expected.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"

/// The agent programs that this machine has, as the presets describe them.
namespace townd::cli {

/// The folder with `presets/` and `prompts/`: beside an installed program, or in the source tree.
std::string share_folder();

struct AgentProgram {
  Preset preset;
  std::string path;     ///< empty: it is not installed
  std::string install;  ///< what to type then
};

/// Every preset that stands for an agent program: those of townd and those in the data folder.
expected<std::vector<AgentProgram>> agent_programs(const std::string& data);

/// A tiny real call of the program: it is there, it starts, it is logged in.
expected<void> check_agent(const AgentProgram& program, const std::string& data);

}  // namespace townd::cli
