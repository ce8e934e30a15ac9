#include <gmock/gmock.h>

#include "engine/node.hpp"
#include "observe/metrics.hpp"
#include "observe/observers.hpp"

namespace townd {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// A node whose rows somebody altered while it was down.
class RecoveryTest : public Node {
 protected:
  RecoveryTest() {
    kill();
    watching = &both;
    runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
    start();
  }

  /// The agent of the one run has nothing on its hook any more, though it works on.
  AgentId plant() {
    const RigId rig = town_with_rig();
    must(bead_in(rig));
    EXPECT_TRUE(run_until([&] { return live_runs() == 1; }, minutes(1)));
    Agent agent = read([](const Engine::View& view) {
      const RunId run = *view.town.live_runs().begin();
      return *view.town.agent(view.town.run(run)->agent_id);
    });
    run_ = agent.run_id;
    agent.status = AgentStatus::working;
    agent.current_hook_bead_id = {};
    kill();
    TownCommit altered;
    altered.town_id = TownId("town");
    altered.rows.push_back({{RowKey::Table::agent, agent.agent_id.text}, AnyRow(agent)});
    store.commit(std::move(altered), [](const expected<void>& done) { EXPECT_TRUE(done); });
    told = {};
    start();
    return agent.agent_id;
  }

  RunId run_;
  Metrics metrics{{}, clock};
  Observers both{&told, &metrics};
};

TEST_F(RecoveryTest, AWorkingAgentWithoutAHookIsReportedCountedAndPutRight) {
  const AgentId agent = plant();
  clock.at = clock.at + seconds(30);
  step();
  const auto seen = read([&](const Engine::View& view) {
    const auto* run = view.town.run(run_);
    return std::pair(view.town.agent(agent)->status,
                     run->stop_requested_at.has_value() || run->state == RunState::ended);
  });
  EXPECT_EQ(seen.first, AgentStatus::idle);
  EXPECT_TRUE(seen.second) << "its process was not ended";
  std::vector<std::string> rules;
  for (const TickRecord& tick : told.ticks)
    for (const Decided& decided : tick.decisions)
      if (decided.fate == ActionFate::applied) rules.emplace_back(decided.rule);
  EXPECT_THAT(rules, Contains("agents.hookless"));
  EXPECT_THAT(rules, Contains("agents.idle_run"));
  EXPECT_EQ(told.alerts_of("invariant_7"), 1);
  EXPECT_THAT(metrics.text({}), HasSubstr("townd_invariant_violations_total{invariant=\"7\",town=\"town\"} 1\n"));
  run_for(minutes(10));
  EXPECT_EQ(told.alerts_of("invariant_7"), 1) << "it was put right, and is still reported";
}

TEST_F(RecoveryTest, WhatWasFoundIsReplayedAsItWas) {
  plant();
  clock.at = clock.at + seconds(30);
  step();
  run_for(minutes(2));
  const auto recorded = store.recorded(TownId("town"), 0, 1'000);
  ASSERT_TRUE(recorded);
  const auto with_violation = std::find_if(recorded->begin(), recorded->end(),
                                           [](const RecordedTick& tick) { return !tick.record.violations.empty(); });
  ASSERT_NE(with_violation, recorded->end());
  EXPECT_EQ(with_violation->record.violations.front().invariant, 7);
  EXPECT_EQ(with_violation->record.violations.front().rule, "");
}

}  // namespace
}  // namespace townd
