#include <benchmark/benchmark.h>

#include <chrono>

#include "bench/node.hpp"
#include "core/record.hpp"
#include "observe/metrics.hpp"
#include "sim/random_town.hpp"

namespace townd::bench {
namespace {

/// What a tick's metrics cost as a share of the tick, over the lives of random towns of up to 1,000 beads.
void MetricsOfATick(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  const WallClock clock;
  std::chrono::nanoseconds ticking{}, counting{};
  std::int64_t ticks = 0;
  std::uint64_t seed = 1;
  for (auto _ : state) {
    Metrics metrics({50, "bench", {}}, clock);
    sim::RandomTown story(seed++, 1'000);
    metrics.in_memory(story.town(), true);
    for (int done = 0; done < story.length(); ++done) {
      const TickInput input = story.next();
      const auto began = Clock::now();
      const TickResult result = tick(story.town(), input);
      TickRecord record;
      record.at = input.now;
      record.trigger = "event";
      note_result(record, result);
      const auto ticked = Clock::now();
      metrics.ticked({story.town(), record, result, 0});
      counting += Clock::now() - ticked;
      ticking += ticked - began;
      ++ticks;
      story.ticked(result);
      story.town().settle();
    }
  }
  const auto each = [ticks](std::chrono::nanoseconds all) {
    return static_cast<double>(all.count()) / static_cast<double>(ticks);
  };
  state.counters["tick_ns"] = each(ticking);
  state.counters["metrics_ns"] = each(counting);
  state.counters["percent"] = 100.0 * each(counting) / each(ticking);
}
BENCHMARK(MetricsOfATick)->Unit(benchmark::kMillisecond)->Iterations(200);

}  // namespace
}  // namespace townd::bench
