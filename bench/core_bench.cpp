#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "core/tick.hpp"
#include "town_of_size.hpp"

namespace townd::bench {
namespace {

events::AgentDone done(const Town& town, const AgentId& id) {
  const Agent& agent = *town.agent(id);
  events::AgentDone fact;
  fact.agent_id = id;
  fact.run_id = agent.run_id;
  fact.branch = "gt/" + agent.name + "/" + agent.current_hook_bead_id.text;
  fact.commit = "0123456789012345678901234567890123456789";
  fact.summary = "changed the greeting";
  return fact;
}

/// A town whose working agents are used up one by one. When none is left it starts afresh, off the clock.
class WorkedTown {
 public:
  explicit WorkedTown(benchmark::State& state)
      : state_(state), size_(static_cast<int>(state.range(0))), town_(settled_town(size_)) {
    agents_ = working_agents(town_);
  }
  Town& town() { return town_; }

  /// Makes sure that `count` agents are still at work.
  void need(std::size_t count) {
    if (next_ + count <= agents_.size()) return;
    state_.PauseTiming();
    town_ = settled_town(size_);
    next_ = 0;
    state_.ResumeTiming();
  }
  const AgentId& next_agent() { return agents_.at(next_++); }
  Event event(EventBody body) { return Event{++seq_, kNow, std::move(body)}; }

 private:
  benchmark::State& state_;
  int size_;
  Town town_;
  std::vector<AgentId> agents_;
  std::size_t next_ = 0;
  std::int64_t seq_ = 0;
};

/// A tick in which nothing is new and nothing is due.
void IdleTick(benchmark::State& state) {
  Town town = settled_town(static_cast<int>(state.range(0)));
  for ([[maybe_unused]] auto turn : state) {
    const TickResult result = tick(town, {kNow, {}, {}, {}});
    if (result.changed_anything()) state.SkipWithError("an idle tick changed something");
    town.settle();
  }
}
BENCHMARK(IdleTick)->Arg(100)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

/// One agent says that it is done: the request, its queue, the freed agent, and whatever the rules decide on it.
void AgentDone(benchmark::State& state) {
  WorkedTown worked(state);
  std::size_t decisions = 0;
  for ([[maybe_unused]] auto turn : state) {
    worked.need(1);
    TickInput input{kNow, {}, {worked.event(done(worked.town(), worked.next_agent()))}, {}};
    for (const TickResult& result : tick_until_settled(worked.town(), input)) decisions += result.decisions.size();
    worked.town().settle();
  }
  state.counters["decisions"] = benchmark::Counter(static_cast<double>(decisions), benchmark::Counter::kAvgIterations);
}
BENCHMARK(AgentDone)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMicrosecond);

/// A new issue behind an agent's own, an edit of that, the agent's words, and its work done.
void add_four_events(WorkedTown& worked, std::vector<Event>& events) {
  const AgentId& id = worked.next_agent();
  const Agent& agent = *worked.town().agent(id);
  events::BeadCreated created;
  created.title = "A new piece of work";
  created.rig_id = agent.rig_id;
  created.after = {agent.current_hook_bead_id};
  events::BeadUpdated updated;
  updated.bead_id = agent.current_hook_bead_id;
  updated.priority = Priority::high;
  events.push_back(worked.event(std::move(created)));
  events.push_back(worked.event(std::move(updated)));
  events.push_back(worked.event(events::AgentSaid{id, "running the tests"}));
  events.push_back(worked.event(done(worked.town(), id)));
}

/// One tick with 1,000 events; what it leaves for the next tick is decided off the clock.
void DrainTick(benchmark::State& state) {
  constexpr std::size_t kEvents = 1000;
  WorkedTown worked(state);
  for ([[maybe_unused]] auto turn : state) {
    worked.need(kEvents / 4);
    state.PauseTiming();
    tick_until_settled(worked.town(), {kNow, {}, {}, {}});
    worked.town().settle();
    TickInput input{kNow, {}, {}, {}};
    while (input.events.size() < kEvents) add_four_events(worked, input.events);
    state.ResumeTiming();
    const TickResult result = tick(worked.town(), input);
    if (result.events.size() != kEvents) state.SkipWithError("not every event was applied");
    worked.town().settle();
  }
}
BENCHMARK(DrainTick)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace townd::bench
