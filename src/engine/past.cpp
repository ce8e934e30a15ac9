#include "engine/past.hpp"

#include <utility>

namespace townd {
namespace {

constexpr int kPage = 1'000;  // ticks

}  // namespace

expected<PastRun> run_past(Store& store, const TownId& town, const Window& window, Variation variation) {
  // A snapshot of the window's first moment may have its first facts already.
  auto snapshot = store.snapshot(town, window.from - Duration{1});
  if (!snapshot) return tl::unexpected(snapshot.error());
  const auto source = [&](std::int64_t after) { return store.recorded(town, after, kPage); };
  auto rerun = run_again(town_of(std::move(snapshot->image)), snapshot->tick, source, window, std::move(variation));
  if (!rerun) return tl::unexpected(rerun.error());
  return PastRun{std::move(*rerun), snapshot->at, std::move(snapshot->unusable)};
}

}  // namespace townd
