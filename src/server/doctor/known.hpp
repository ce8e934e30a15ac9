#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/town.hpp"

namespace townd::doctor {

/// What the towns say about runs and rigs: whatever else there is belongs to nobody.
struct Known {
  struct OfRun {
    TownId town;
    Run run;
  };
  struct OfRig {
    TownId town;
    Rig rig;
    std::set<std::string> branches;               ///< that something in the town names
    bool pull_requests = false;                   ///< work of it becomes some
    std::map<std::string, Instant> convoys = {};  ///< branches that work under way lands on, and since when
  };
  std::map<std::string, OfRun> runs;  ///< by the run's part of a path (git/layout.hpp)
  std::vector<OfRig> rigs;
  std::set<TownId> towns;
  std::set<TownId> unseen;  ///< towns that are there and could not be looked at

  void add(const Town& town);
  /// Whether this run has been over for longer than `patience`, or is one that no town knows.
  [[nodiscard]] bool over(const std::string& run_part, Duration patience, Instant now) const;
};

}  // namespace townd::doctor
