#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <span>

#include "engine/node.hpp"

namespace townd {
namespace {

/// What a system recorded that wrote each status of each agent down, before it was given a filter: 720 an hour.
constexpr int kReferenceEventsOfAnAgentAndHour = 720;
constexpr int kAgents = 20;

/// How often the signs of life of one agent were folded in one tick.
class Folds final : public Observer {
 public:
  void ticked(const Ticked& tick) override { ++recorded, fold(tick.record.life); }
  void ticked_quietly(const QuietTick& tick) override { ++quiet, fold(tick.life); }

  int recorded = 0;
  int quiet = 0;
  int with_signs = 0;
  int most = 0;

 private:
  void fold(std::span<const SignOfLife> life) {
    std::map<AgentId, int> of_agent;
    for (const SignOfLife& sign : life) most = std::max(most, ++of_agent[sign.agent_id]);
    with_signs += life.empty() ? 0 : 1;
  }
};

TEST_F(Node, AnHourOfSteadyWorkLeavesHardlyAnythingInTheLog) {
  options.max_agents = kAgents;
  kill();
  Folds folds;
  watching = &folds;
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  start();
  const RigId rig = town_with_rig();
  events::ConfigChanged change;
  change.config = read([](const Engine::View& view) { return view.town.config(); });
  change.config.max_polecats = kAgents;
  must(change);
  for (int i = 0; i < kAgents; ++i) must(bead_in(rig));
  ASSERT_TRUE(run_until([&] { return live_runs() == kAgents; }, minutes(2)));
  run_for(seconds(10));
  folds = {};
  EventQuery query;
  query.limit = 100'000;
  const std::size_t before = store.events(TownId("town"), query)->size();
  int signs = 0;
  const Instant end = clock.at + hours(1);
  std::vector<std::pair<AgentId, RunId>> at_work = read([](const Engine::View& view) {
    std::vector<std::pair<AgentId, RunId>> runs;
    for (const RunId& run : view.town.live_runs()) runs.emplace_back(view.town.run(run)->agent_id, run);
    return runs;
  });
  ASSERT_EQ(at_work.size(), kAgents);
  while (clock.at < end) {
    clock.at = clock.at + seconds(30);
    for (const auto& [agent, run] : at_work) {
      SignOfLife sign;
      sign.agent_id = agent;
      sign.run_id = run;
      sign.at = clock.at;
      sign.last_event_type = "tool";
      sign.last_event_at = clock.at;
      engine->sign_of_life(TownId("town"), sign);
      ++signs;
    }
    step();
  }
  const auto events = store.events(TownId("town"), query);
  ASSERT_TRUE(events);
  std::map<std::string, std::string> last_status;
  int statuses = 0;
  for (std::size_t i = before; i < events->size(); ++i) {
    const EventRow& event = (*events)[i];
    if (event.event_type != "container_status") continue;
    ++statuses;
    EXPECT_EQ(event.payload.find("\"running\""), std::string::npos) << event.payload;
    EXPECT_NE(std::exchange(last_status[event.agent_id], event.payload), event.payload) << "said again";
  }
  const int reference = kReferenceEventsOfAnAgentAndHour * kAgents;
  const auto recorded = static_cast<int>(events->size() - before);
  std::cout << "an hour of " << kAgents << " agents: " << signs << " signs of life, " << recorded << " events, of them "
            << statuses << " statuses (reference " << reference << "); " << folds.recorded << " ticks recorded and "
            << folds.quiet << " quiet ones, " << folds.with_signs << " of them with signs\n";
  EXPECT_EQ(signs, 2'400);
  EXPECT_LE(recorded * 100, reference) << "less than a fall of 99%";
  EXPECT_EQ(live_runs(), kAgents) << "it was no steady work";
  EXPECT_GE(folds.with_signs, 60);
  EXPECT_LE(folds.with_signs, 120) << "more than one tick for what was said at one moment";
  EXPECT_EQ(folds.most, 1) << "the signs of one agent in one tick";
  watching = &told;
  kill();
}

}  // namespace
}  // namespace townd
