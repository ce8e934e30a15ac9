#include "tests/engine/node.hpp"

namespace townd {
namespace {

/// Production constants; the clock is the only thing that is not real.
class Silence : public Node {
 protected:
  /// Three agents that are at work for longer than anything here takes.
  void three_at_work() {
    const RigId rig = town_with_rig();
    runtime.shortest = hours(20);
    runtime.longest = hours(21);
    for (int i = 0; i < 3; ++i) must(bead_in(rig));
    run_for(minutes(5));
    ASSERT_EQ(runtime.alive().size(), 3u);
    ASSERT_EQ(live_runs(), 3u);
  }
  void nothing_was_stopped_or_started_twice() {
    EXPECT_TRUE(runtime.stops().empty());
    EXPECT_EQ(runtime.starts().size(), 3u);
    for (const auto& [run, times] : runtime.starts()) EXPECT_EQ(times, 1) << run.text;
    EXPECT_EQ(runtime.alive().size(), 3u);
    EXPECT_EQ(live_runs(), 3u);
  }
};

TEST_F(Silence, ALaptopThatSleptEightHoursStopsAndStartsNothing) {
  three_at_work();
  clock.pass(hours(8));
  runtime.slept(hours(8));
  run_for(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(Silence, ADaemonThatWasDownTwentyMinutesStopsAndStartsNothing) {
  three_at_work();
  kill();
  const Instant back = clock.at + minutes(20);
  while (clock.at < back) {
    clock.at = std::min(back, std::max(clock.at + Duration{1}, runtime.next()));
    runtime.live();
  }
  start();
  run_for(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(Silence, TheGapIsTheFirstThingThatAStartedTownHears) {
  three_at_work();
  kill();
  clock.pass(minutes(20));
  const std::size_t known = store.events_of(TownId("town")).size();
  start();
  step();
  const auto events = store.events_of(TownId("town"));
  ASSERT_GT(events.size(), known);
  const auto* gap = std::get_if<events::ObservationGap>(&events[known].first.body);
  ASSERT_NE(gap, nullptr);
  EXPECT_EQ(gap->to, clock.at);
}

TEST_F(Silence, AQuietTownWithoutRunsHasNoGap) {
  town_with_rig();
  run_for(minutes(1));
  clock.pass(hours(8));
  step();
  for (const auto& [event, fate] : store.events_of(TownId("town")))
    EXPECT_FALSE(std::holds_alternative<events::ObservationGap>(event.body));
}

TEST_F(Silence, AnAgentThatHangsIsStoppedAndItsBeadWorkedOnByAnotherRun) {
  const RigId rig = town_with_rig();
  runtime.manner = [this](const AgentSpec&) {
    return runtime.starts().empty() ? sim::Manner::hangs : sim::Manner::works;
  };
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  EXPECT_EQ(runtime.stops().at(runtime.starts().begin()->first), 1);
}

TEST_F(Silence, AnAgentThatLeavesWithoutAWordIsRemindedOnceInTheSameRun) {
  const RigId rig = town_with_rig();
  runtime.manner = [this](const AgentSpec&) {
    return runtime.starts().empty() ? sim::Manner::leaves : sim::Manner::works;
  };
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  EXPECT_EQ(runtime.reminders(), 1);
}

TEST_F(Silence, AMachineThatWentDownLosesItsRunsAndTheWorkIsDoneAgain) {
  const RigId rig = town_with_rig();
  const std::string bead = must(bead_in(rig)).created.front();
  run_for(seconds(1));
  kill();
  runtime.reboot();
  clock.pass(minutes(10));
  start();
  EXPECT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
}

TEST_F(Silence, ADrainEndsAfterSevenMinutesByItself) {
  const RigId rig = town_with_rig();
  must(events::DrainStarted{});
  const std::string bead = must(bead_in(rig)).created.front();
  run_for(minutes(6));
  EXPECT_EQ(live_runs(), 0u);
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }, minutes(30)));
  EXPECT_FALSE(read([](const Engine::View& view) { return view.town.row().draining_since.has_value(); }));
}

TEST_F(Silence, ADrainIsForTheInstanceBefore) {
  const RigId rig = town_with_rig();
  must(events::DrainStarted{});
  kill();
  clock.pass(seconds(20));
  start();
  must(bead_in(rig));
  run_for(seconds(30));
  EXPECT_EQ(live_runs(), 1u);
}

TEST_F(Silence, ABrokenRigIsLookedAtAgainEveryTenMinutesAndWorksWhenItCan) {
  const RigId rig = town_with_rig();
  forge.broken_reason = "its host cannot be reached";
  must(events::RigChecked{rig, "its host cannot be reached", {}});
  const std::string bead = must(bead_in(rig)).created.front();
  run_for(minutes(25));
  EXPECT_EQ(status_of(bead), BeadStatus::open);
  forge.broken_reason.clear();
  EXPECT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }, minutes(30)));
  int checks = 0;
  for (const auto& [event, fate] : store.events_of(TownId("town")))
    checks += std::holds_alternative<events::RigChecked>(event.body) ? 1 : 0;
  EXPECT_EQ(checks, 3) << "the same answer again is no news";
}

}  // namespace
}  // namespace townd
