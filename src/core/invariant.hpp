#pragma once

#include <vector>

#include "core/tick.hpp"

namespace townd {

/// The invariants of domain.md §5 that can be judged on the rows named by `changed` and their neighbours.
std::vector<Violation> check_rows(const Town& town, const std::vector<RowKey>& changed);

/// The same on all rows of beads and agents: linear, as the search for cycles of `check_everything` is not.
std::vector<Violation> check_all_rows(const Town& town);

/// Would an edge `bead` waits for `on` close a cycle of waiting (`blocks`, and bead → its live requests)? Gives the
/// cycle, from `on` back to `on`, or nothing. Searches from `on` only.
std::vector<BeadId> cycle_by(const Town& town, const BeadId& bead, const BeadId& on);

}  // namespace townd
