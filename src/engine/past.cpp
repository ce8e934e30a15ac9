#include "engine/past.hpp"

#include <algorithm>
#include <utility>

namespace townd {
namespace {

constexpr int kPage = 1'000;  // ticks

/// The one from which the window can be run again. A snapshot of its first moment may have its first facts already.
expected<KeptSnapshot> snapshot_before(Store& store, const TownId& town, const Window& window) {
  return store.snapshot(town, window.from - Duration{1});
}

}  // namespace

expected<PastRun> run_past(Store& store, const TownId& town, const Window& window, Variation variation) {
  auto snapshot = snapshot_before(store, town, window);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const auto source = [&](std::int64_t after) { return store.recorded(town, after, kPage); };
  const RerunStart start{snapshot->tick, snapshot->at, town_of(std::move(snapshot->image))};
  auto rerun = run_again(start, source, window, std::move(variation));
  if (!rerun) return tl::unexpected(rerun.error());
  return PastRun{std::move(*rerun), snapshot->at, std::move(snapshot->unusable)};
}

expected<Window> remembered(Store& store, const TownId& town, Window window) {
  const auto snapshots = store.snapshots(town);
  if (!snapshots) return tl::unexpected(snapshots.error());
  if (snapshots->empty())
    return fail(Error::Code::not_found, "nothing of this town is kept yet", "try again in a while");
  window.from = std::max(window.from, snapshots->front().at + Duration{1});
  return window;
}

expected<Bundle> bundle_of(Store& store, const TownId& town, const Window& window) {
  auto snapshot = snapshot_before(store, town, window);
  if (!snapshot) return tl::unexpected(snapshot.error());
  Bundle bundle;
  bundle.start_tick = snapshot->tick;
  bundle.start_at = snapshot->at;
  bundle.start = std::move(snapshot->image);
  for (std::int64_t after = bundle.start_tick;; after = bundle.ticks.back().record.number) {
    auto page = store.recorded(town, after, kPage);
    if (!page) return tl::unexpected(page.error());
    const std::size_t before = bundle.ticks.size();
    for (RecordedTick& tick : *page) {
      if (!reached(window, tick)) break;
      const std::int64_t last = bundle.ticks.empty() ? bundle.start_tick : bundle.ticks.back().record.number;
      if (tick.record.number != last + 1) return tl::unexpected(missing_ticks(last + 1, tick.record.number - 1));
      bundle.ticks.push_back(std::move(tick));
    }
    if (bundle.ticks.size() == before || bundle.ticks.size() - before < page->size()) break;
    if (bundle.ticks.size() > kBundleTicks)
      return fail(Error::Code::too_large, "more than " + std::to_string(kBundleTicks) + " ticks belong to it",
                  "take one tick: town bundle --tick N");
  }
  auto pending = store.pending(town);
  if (!pending) return tl::unexpected(pending.error());
  std::erase_if(*pending, [&](const Event& event) { return event.created_at > window.to; });
  bundle.pending = std::move(*pending);
  bundle.until = std::max(window.to, bundle.ticks.empty() ? bundle.start_at : bundle.ticks.back().record.at);
  return bundle;
}

}  // namespace townd
