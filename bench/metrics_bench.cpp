#include <benchmark/benchmark.h>

#include <chrono>

#include "bench/node.hpp"
#include "observe/metrics.hpp"
#include "tests/workload/day30.hpp"

namespace townd::bench {
namespace {

/// Metrics, with the time that they take beside that of the ticks which they are told of.
class TimedMetrics final : public Observer {
 public:
  explicit TimedMetrics(const Clock& clock) : metrics_({50, "bench", {}}, clock) {}

  void ticked(const Ticked& tick) override {
    ticking_us += tick.record.wall_us;
    ++ticks;
    timed([&] { metrics_.ticked(tick); });
  }
  void ticked_quietly(const QuietTick& tick) override {
    ticking_us += tick.wall_us;
    ++ticks;
    timed([&] { metrics_.ticked_quietly(tick); });
  }
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) override {
    timed([&] { metrics_.effects_ended(town, outcomes); });
  }

  std::int64_t ticks = 0;
  std::int64_t ticking_us = 0;
  std::chrono::nanoseconds counting{};

 private:
  template <class Job>
  void timed(Job&& job) {
    const auto began = std::chrono::steady_clock::now();
    job();
    counting += std::chrono::steady_clock::now() - began;
  }

  Metrics metrics_;
};

/// What metrics cost as a share of the ticks of a day with 30 polecats, 5 rigs and 600 beads. Two looks at the clock,
/// some 50 ns, are in each of its figures.
void MetricsOfADay(benchmark::State& state) {
  const WallClock clock;
  TimedMetrics metrics(clock);
  for (auto _ : state) {
    sim::Complaints complaints;
    sim::FakeStore store(complaints);
    workload::Day30 day(store, complaints);
    day.beside = &metrics;
    day.run(hours(24));
  }
  const auto ticks = static_cast<double>(metrics.ticks);
  const auto ticking = static_cast<double>(metrics.ticking_us);
  const auto counting = static_cast<double>(metrics.counting.count()) / 1000.0;
  state.counters["ticks"] = ticks;
  state.counters["tick_us"] = ticking / ticks;
  state.counters["metrics_us"] = counting / ticks;
  state.counters["percent"] = 100.0 * counting / ticking;
}
BENCHMARK(MetricsOfADay)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace townd::bench
