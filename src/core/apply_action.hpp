#pragma once

#include <set>
#include <string>

#include "core/change.hpp"

namespace townd {

/// Beads and agents that an applied decision has used up in this tick (domain.md §4, one disposition).
struct UsedUp {
  std::set<BeadId> beads;
  std::set<AgentId> agents;
  const UsedUp* earlier = nullptr;  ///< by the decisions before this one

  [[nodiscard]] bool has(const BeadId& id) const { return beads.contains(id) || (earlier && earlier->has(id)); }
  [[nodiscard]] bool has(const AgentId& id) const { return agents.contains(id) || (earlier && earlier->has(id)); }
};

/// What became of one action.
struct Applied {
  bool ok = true;
  std::string why;  ///< why it no longer holds
  AgentId chosen;
};

/// correction -> town, if what the rule saw still holds. Beads and agents whose status, hook or assignee it changes
/// are added to `used`.
Applied apply_action(Change& change, const ActionBody& action, UsedUp& used);

}  // namespace townd
