#include <algorithm>

#include "engine/state.hpp"

/// From which states the past can be run again.
namespace townd {
namespace {

/// A snapshot after so many ticks or so long, if anything has happened.
constexpr std::int64_t kTicks = 10'000;
constexpr Duration kEvery = hours(1);
constexpr Duration kAfterFailure = minutes(10);
/// Of the time between two snapshots so many ticks are decided again.
constexpr int kTicksChecked = 1'000;

/// Decides the first ticks behind the last snapshot before `before` again. What cannot be read is no difference: the
/// store says so where it matters.
std::optional<Difference> first_difference(Store& store, const TownId& town, Instant before) {
  auto snapshot = store.snapshot(town, before - Duration{1});
  if (!snapshot) return std::nullopt;
  const RerunStart start{snapshot->tick, snapshot->at, town_of(std::move(snapshot->image))};
  const auto source = [&](std::int64_t after) {
    return store.recorded(town, after, static_cast<int>(std::max<std::int64_t>(0, start.tick + kTicksChecked - after)));
  };
  auto rerun = run_again(start, source, {before, before});
  return rerun ? std::move(rerun->first_difference) : std::nullopt;
}

}  // namespace

/// After a tick is committed. A new town's first one comes at once: what is before it cannot be run again.
void Engine::State::note_snapshot(LiveTown& town) {
  const bool due =
      town.snapshot_tick == 0 || town.last_tick() - town.snapshot_tick >= kTicks || now - town.snapshot_at >= kEvery;
  if (due && now >= town.snapshot_again_at) snapshots_due.insert(town.id);
}

void Engine::State::keep_snapshots() {
  if (closing || keeping_snapshot || snapshots_due.empty()) return;
  const TownId id = snapshots_due.extract(snapshots_due.begin()).value();
  keeping_snapshot = true;
  in_pool("snapshot", [store = &ports.store, id]() -> inbox::Item {
    return inbox::SnapshotKept{id, store->keep_snapshot(id)};
  });
}

void Engine::State::snapshot_kept(const inbox::SnapshotKept& kept) {
  keeping_snapshot = false;
  snapshots_due.erase(kept.town);  // what was noted while it was made
  if (!kept.made) alarm(kept.town, "snapshot_failed", kept.made.error().what);
  const auto found = towns.find(kept.town);
  if (found == towns.end()) return;
  LiveTown& town = *found->second;
  if (kept.made) {
    if (town.snapshot_tick > 0) check_past(kept.town, kept.made->at);
    town.snapshot_tick = kept.made->tick;
    town.snapshot_at = kept.made->at;
  } else {
    town.snapshot_again_at = now + kAfterFailure;
  }
}

/// A share of what led to a new snapshot, as a check that townd is as exact as it says.
void Engine::State::check_past(const TownId& town, Instant before) {
  in_pool("check", [store = &ports.store, town, before]() -> inbox::Item {
    return inbox::PastChecked{town, first_difference(*store, town, before)};
  });
}

}  // namespace townd
