#pragma once

#include "core/replay.hpp"
#include "ports/store.hpp"

namespace townd {

/// A rerun of what the store remembers of a town, from the newest usable snapshot before the window. Nothing is carried
/// out and the town that runs is not asked. May take long; from any thread.
struct PastRun {
  Rerun rerun;
  Instant snapshot_at;
  std::vector<std::string> unusable;  ///< snapshots that were passed over, and why
};
expected<PastRun> run_past(Store& store, const TownId& town, const Window& window, Variation variation = {});

}  // namespace townd
