#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"

namespace townd {

/// What a process inside may see and write beside the read-only system (interfaces.md, "Agents, gates and setup").
struct SandboxPlan {
  RunPlaces places;
  std::string rig_repository;         ///< its objects are read; empty: none
  std::vector<std::string> programs;  ///< absolute; reachable even where homes are masked
  std::vector<std::pair<std::string, std::string>>
      config;  ///< of the preset: from the owner's folder to its place inside
};

/// Processes of bubblewrap above the command: its outer one and the first of the namespace.
inline constexpr int kSandboxDepth = 2;

/// The words to put before a command. Data folder, homes, /run and temporary folders are masked, then what the plan
/// names is put back.
std::vector<std::string> sandbox_words(const std::string& bwrap, const LocalSettings& settings,
                                       const SandboxPlan& plan);

/// The owner's folders and files of the preset that exist, and where they are put in the private home.
std::vector<std::pair<std::string, std::string>> preset_config(const Preset& preset,
                                                               const std::map<std::string, std::string>& env,
                                                               const std::string& home);

/// bubblewrap's path, or why it cannot be used here. Looked for once.
const expected<std::string>& bubblewrap();

}  // namespace townd
