#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "git/program.hpp"
#include "server/doctor/finding.hpp"
#include "server/doctor/known.hpp"

namespace townd {
class Forge;
class Runtime;
}  // namespace townd

namespace townd::doctor {

/// A branch of a rig's repository.
struct Branch {
  std::string tip;
  std::string name;
};

/// Clones and processes of runs and branches of rigs that are there. Listed before the towns are asked: whatever begins
/// meanwhile is known to them and not in here.
struct Leftovers {
  std::vector<std::string> clones;                                     ///< names in `clones/`
  std::map<std::string, std::vector<pid_t>> processes = {};            ///< by the run's part of a path
  std::map<std::string, expected<std::vector<Branch>>> branches = {};  ///< by the folder of the rig's repository
};
Leftovers leftovers_in(const std::string& data);

/// Who can take them away; without these they are only named.
struct Hands {
  Forge* forge = nullptr;
  Runtime* runtime = nullptr;
  /// What the town says now: asked once more before something of its own would go. None when nobody else is at work.
  std::function<expected<Known>(const TownId& town)> know = {};
};

/// git with townd's rules, for a doctor that may not be the only one to ask.
expected<git::Program> git_of(const std::string& data);

/// A clone is removed once its commits have a name in the rig's repository (invariant 13).
void check_clones(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                  Report& report);
void check_processes(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                     Report& report);
/// A branch is deleted when the rig's target or something below `refs/town` contains it, and no bead names it now.
void check_branches(const std::string& data, const Leftovers& left, const Known& known, Instant now, Hands hands,
                    Report& report);
/// Repositories that were there once, with all the work that is kept in them.
void check_repositories(const std::string& data, const Known& known, Hands hands, Report& report);

}  // namespace townd::doctor
