#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/past.hpp"
#include "node.hpp"
#include "tests/workload/day30.hpp"

/// How fast the past is run again, from the store on the disk of the current folder, with every digest compared.
namespace townd::bench {
namespace {

/// Waits until the engine has answered as often as it was asked.
class Asked {
 public:
  Engine::Answered one() {
    ++waiting_;
    return [this](const expected<Receipt>& receipt) {
      if (!receipt) problem_ = true;
      if (--waiting_ == 0) waiting_.notify_all();
    };
  }
  void wait() {
    for (int left = waiting_; left != 0; left = waiting_) waiting_.wait(left);
    if (problem_) throw std::runtime_error("a fact was refused");
  }

 private:
  std::atomic<int> waiting_ = 0;
  std::atomic<bool> problem_ = false;
};

/// Facts of a town with 100 live beads whose agents say what they do, a thousand to a tick.
void ReplayEvents(benchmark::State& state) {
  const DiskFolder folder;
  const auto facts = static_cast<std::int64_t>(state.range(0));
  const WallClock clock;
  Instant begun;
  const TownImage image = image_of_size(100, clock.now());
  const TownId& town = image.town.town_id;
  const std::vector<Agent>& agents = image.agents;
  write_town(*must(SqliteStore::open(folder.path())), image);
  {
    Node node(folder.path());
    Asked first;
    node.engine.submit(town, events::AgentSaid{agents.front().agent_id, "begun"}, first.one());
    first.wait();
    must(node.store->keep_snapshot(town));
    begun = clock.now();
    constexpr std::int64_t kAtOnce = 5'000;
    for (std::int64_t said = 0; said < facts;) {
      Asked asked;
      for (std::int64_t i = 0; i < kAtOnce && said < facts; ++i, ++said)
        node.engine.submit(town,
                           events::AgentSaid{agents[static_cast<std::size_t>(said) % agents.size()].agent_id,
                                             "step " + std::to_string(said)},
                           asked.one());
      asked.wait();
    }
  }
  const auto store = must(SqliteStore::open(folder.path()));
  for ([[maybe_unused]] auto turn : state) {
    const PastRun past = must(run_past(*store, town, {begun, clock.now()}));
    if (past.rerun.first_difference) state.SkipWithError("it is decided otherwise");
    if (past.rerun.events < facts) state.SkipWithError("facts are missing");
    state.counters["events_per_s"] =
        benchmark::Counter(static_cast<double>(past.rerun.events), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["ticks"] = static_cast<double>(past.rerun.ticks);
  }
}
BENCHMARK(ReplayEvents)->Arg(1'000'000)->Iterations(1)->UseRealTime()->Unit(benchmark::kSecond);

double mebibytes_in(const std::filesystem::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return static_cast<double>(bytes) / (1 << 20);
}

/// The day of tests/workload: what it takes on the disk with its log and snapshots, and how long it takes to run it
/// again.
void ReplayDay30(benchmark::State& state) {
  const DiskFolder folder;
  sim::Complaints complaints;
  Instant begun, ended;
  TownId town;
  {
    const auto disk = must(SqliteStore::open(folder.path()));
    workload::MirroredStore store(complaints, *disk);
    workload::Day30 day(store, complaints);
    town = day.town;
    begun = day.now() + minutes(1);
    day.run(days(1));
    ended = day.now();
    store.wait();
  }
  if (!complaints.all().empty()) state.SkipWithError(complaints.all().front().c_str());
  state.counters["MiB"] = mebibytes_in(folder.path());
  const auto store = must(SqliteStore::open(folder.path()));
  for ([[maybe_unused]] auto turn : state) {
    const PastRun past = must(run_past(*store, town, {begun, ended}));
    if (past.rerun.first_difference) state.SkipWithError("it is decided otherwise");
    state.counters["ticks"] = static_cast<double>(past.rerun.ticks);
    state.counters["events"] = static_cast<double>(past.rerun.events);
  }
}
BENCHMARK(ReplayDay30)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace townd::bench
