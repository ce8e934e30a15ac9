#include <benchmark/benchmark.h>

#include "core/merge_queue.hpp"
#include "sim/merge_lane.hpp"

/// The merge queue's decisions on a fake clock: what lands for how many runs of the gates (sim/merge_lane). The time
/// that is shown is what deciding takes; the figures are the counters.
namespace townd::bench {
namespace {

using sim::MergeLane;

/// 32 requests, one of which breaks the gates, at each place in turn.
void MergeQueueOneCulprit(benchmark::State& state) {
  int most_runs = 0;
  std::size_t fewest_landed = kBatchLimit;
  for ([[maybe_unused]] auto turn : state) {
    for (int place = 0; place < kBatchLimit; ++place) {
      MergeLane lane(minutes(18), kBatchLimit);
      for (int i = 0; i < kBatchLimit; ++i) lane.hand_in(i == place);
      lane.run(days(2));
      most_runs = std::max(most_runs, lane.gate_runs);
      fewest_landed = std::min(fewest_landed, lane.landed());
    }
  }
  state.counters["gate_runs_at_most"] = most_runs;
  state.counters["landed_at_least"] = static_cast<double>(fewest_landed);
}
BENCHMARK(MergeQueueOneCulprit)->Unit(benchmark::kMillisecond);

/// Always something to land, gates of 18 minutes, `percent` of the work breaks them, at most `batch` together; as many
/// runs of the gates at a time as there are `lanes`.
void MergeQueueLandings(benchmark::State& state) {
  const auto batch = static_cast<int>(state.range(0)), percent = static_cast<int>(state.range(1)),
             lanes = static_cast<int>(state.range(2));
  constexpr int kHours = 48;
  double landed = 0, hours_run = 0;
  std::uint64_t seed = 0;
  for ([[maybe_unused]] auto turn : state) {
    sim::Random random(++seed);
    MergeLane lane(minutes(18), batch, seed);
    lane.lanes = lanes;
    for (int i = 0; i < 60 * kHours; ++i) lane.hand_in(random.between(1, 100) <= percent);
    lane.run(hours(kHours));
    landed += static_cast<double>(lane.landed());
    hours_run += kHours;
  }
  state.counters["landings_per_h"] = landed / hours_run;
}
BENCHMARK(MergeQueueLandings)
    ->ArgNames({"batch", "percent", "lanes"})
    ->Args({1, 2, 1})
    ->Args({32, 0, 1})
    ->Args({32, 2, 1})
    ->Args({32, 2, 2})
    ->Args({32, 10, 1})
    ->Args({32, 30, 1})
    ->Iterations(8)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace townd::bench
