#pragma once

#include "core/bundle.hpp"
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

/// The part of a stretch that begins after the first snapshot; not_found when there is none yet.
expected<Window> remembered(Store& store, const TownId& town, Window window);

/// Ticks that a bundle holds at most.
inline constexpr std::size_t kBundleTicks = 100'000;

/// What the store remembers of a stretch, with the snapshot before it, to be decided again elsewhere. Too much is
/// too_large.
expected<Bundle> bundle_of(Store& store, const TownId& town, const Window& window);

}  // namespace townd
