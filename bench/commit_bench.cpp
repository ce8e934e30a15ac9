#include <benchmark/benchmark.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/sqlite_store.hpp"

/// Group commit alone: towns that commit one tick after the other, each as soon as its last one is durable. On the
/// disk of the current folder, synchronous FULL.
namespace townd::bench {
namespace {

/// A tick that applied one event: what an agent's report leaves, roughly.
TownCommit one_tick(const TownId& town, std::int64_t number) {
  TownCommit commit;
  commit.town_id = town;
  Bead bead;
  bead.bead_id = BeadId("b-" + std::to_string(number % 100));
  bead.title = "A piece of work";
  bead.updated_at = Instant{number};
  Agent agent;
  agent.agent_id = AgentId("a-" + std::to_string(number % 20));
  commit.events = {{number, Instant{number}, events::AgentSaid{agent.agent_id, "half of it is done"}}};
  commit.processed = {{number, EventFate::applied, "", {}}};
  TickRecord tick;
  tick.number = number;
  tick.at = Instant{number};
  tick.trigger = "event";
  tick.events = commit.processed;
  commit.tick = std::make_shared<const TickRecord>(tick);
  commit.rows = {{{RowKey::Table::bead, bead.bead_id.text}, bead},
                 {{RowKey::Table::agent, agent.agent_id.text}, agent}};
  commit.history = {{bead.bead_id, agent.agent_id, "status_changed", "open", "in_progress", "agent_said", tick.at}};
  return commit;
}

/// One town's chain of commits: the next one goes in from the answer to the last.
class Chain {
 public:
  Chain(Store& store, std::int64_t town, std::int64_t towns, std::atomic<std::int64_t>& left,
        std::promise<void>& finished)
      : store_(store), town_("town-" + std::to_string(town)), towns_(towns), left_(left), finished_(finished) {}

  void go_on(std::int64_t number) {
    store_.commit(one_tick(town_, number), [this, number](const expected<void>& done) {
      if (!done) throw std::runtime_error(done.error().what);
      const std::int64_t left = --left_;
      if (left == 0)
        finished_.set_value();
      else if (left >= towns_)
        go_on(number + 1);  // each other town has one under way
    });
  }

 private:
  Store& store_;
  TownId town_;
  std::int64_t towns_;
  std::atomic<std::int64_t>& left_;
  std::promise<void>& finished_;
};

void GroupCommit(benchmark::State& state) {
  const std::filesystem::path folder = std::filesystem::current_path() / "bench-commits";
  const std::int64_t towns = state.range(0);
  const std::int64_t commits = towns * (towns == 1 ? 500 : 100);
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove_all(folder);
    auto store = std::move(SqliteStore::open(folder).value());
    std::atomic<std::int64_t> left{commits};
    std::promise<void> finished;
    std::vector<std::unique_ptr<Chain>> chains;
    for (std::int64_t town = 0; town < towns; ++town)
      chains.push_back(std::make_unique<Chain>(*store, town, towns, left, finished));
    state.ResumeTiming();
    for (const auto& chain : chains) chain->go_on(1);
    finished.get_future().get();
    state.PauseTiming();
    const CommitCounters counters = store->counters();
    state.counters["group"] = static_cast<double>(counters.commits) / static_cast<double>(counters.groups);
    state.counters["fdatasync"] = static_cast<double>(counters.syncs);
    store.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * commits);
  std::filesystem::remove_all(folder);
}
BENCHMARK(GroupCommit)->Arg(1)->Arg(8)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace townd::bench
