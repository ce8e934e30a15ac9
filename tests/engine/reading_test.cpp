#include <algorithm>

#include "tests/engine/node.hpp"

namespace townd {
namespace {

using Reading = Node;

TEST_F(Reading, ADryRunSaysWhatTheNextTickWouldDoAndChangesNothing) {
  const RigId rig = town_with_rig();
  must(events::TownPaused{"to look"});
  must(bead_in(rig));
  const Hash128 before = read([](const Engine::View& view) { return view.town.recount(); });
  const int commits = store.commits();
  store.by_hand = true;
  std::optional<expected<std::vector<TimedTick>>> result;
  Hash128 after;
  engine->dry_run(TownId("town"), std::nullopt, [&](auto answer) { result = std::move(answer); });
  engine->look(
      TownId("town"), [&](const Engine::View& view) { after = view.town.recount(); }, [] {});
  engine->submit(TownId("town"), events::TownResumed{}, {});  // not ticked yet, and counts
  step();
  ASSERT_TRUE(result && *result);
  bool dispatches = false;
  for (const auto& [at, tick] : **result)
    for (const Decided& decided : tick.decisions) dispatches |= decided.rule == "beads.assign";
  EXPECT_TRUE(dispatches);
  EXPECT_EQ(store.commits(), commits);
  store.by_hand = false;
  store.flush();
  EXPECT_EQ(after, before);
}

TEST_F(Reading, ADryRunAtALaterTimeSeesWhatIsDueThen) {
  const RigId rig = town_with_rig();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  must(bead_in(rig));
  step();
  const auto decisions_at = [&](Duration later) {
    std::size_t decisions = 0;
    engine->dry_run(TownId("town"), clock.at + later, [&](const expected<std::vector<TimedTick>>& ticks) {
      for (const auto& [at, tick] : *ticks) decisions += tick.decisions.size();
    });
    step();
    return decisions;
  };
  EXPECT_EQ(decisions_at(seconds(1)), 0u);
  EXPECT_GT(decisions_at(hours(1)), 0u);
  EXPECT_EQ(decisions_at(seconds(1)), 0u);
  EXPECT_EQ(live_runs(), 1u);
}

TEST_F(Reading, AReadWaitsForTheCommitOfWhatItWouldShow) {
  const RigId rig = town_with_rig();
  store.by_hand = true;
  ask(bead_in(rig));
  step();
  std::size_t beads = 99;
  engine->look(
      TownId("town"), [&](const Engine::View& view) { beads = view.town.bead_count(); }, [] {});
  step();
  EXPECT_EQ(beads, 99u);
  store.flush();
  step();
  EXPECT_EQ(beads, 1u);
}

TEST_F(Reading, TheStreamTellsTicksAndChangesAfterTheirCommit) {
  std::vector<StreamItem> items;
  engine->on_stream([&](const TownId&, const StreamItem& item) { items.push_back(item); });
  const RigId rig = town_with_rig();
  items.clear();
  store.by_hand = true;
  ask(bead_in(rig));
  step();
  EXPECT_TRUE(items.empty());
  store.flush();
  step();
  const auto has = [&](const std::string& kind, const std::string& data) {
    return std::any_of(items.begin(), items.end(),
                       [&](const StreamItem& item) { return item.kind == kind && item.data.starts_with(data); });
  };
  EXPECT_TRUE(has("tick", "trigger=event"));
  EXPECT_TRUE(has("bead", "status=in_progress"));
  EXPECT_TRUE(has("agent", "status=working"));
  store.by_hand = false;
  store.flush();
}

TEST_F(Reading, ADrainDispatchesNothingUntilItEnds) {
  const RigId rig = town_with_rig();
  must(events::DrainStarted{});
  must(bead_in(rig));
  run_for(minutes(5));
  EXPECT_TRUE(runtime.starts().empty());
  must(events::DrainEnded{});
  EXPECT_EQ(runtime.starts().size(), 1u);
}

TEST_F(Reading, TwoTownsShareTheAgentsOfTheirNode) {
  make_town("first");
  make_town("second");
  const RigId one = make_rig(TownId("first"));
  const RigId two = make_rig(TownId("second"));
  runtime.shortest = hours(1);
  runtime.longest = hours(2);
  for (int i = 0; i < 5; ++i) {
    must(bead_in(one), TownId("first"));
    must(bead_in(two), TownId("second"));
  }
  run_for(minutes(10));
  EXPECT_LE(runtime.alive().size(), 4u);
  EXPECT_GE(live_runs(TownId("first")), 1u);
  EXPECT_GE(live_runs(TownId("second")), 1u);
}

TEST_F(Reading, AQuietTownLeavesItsShareToABusyOne) {
  make_town("first");
  make_town("second");
  const RigId rig = make_rig(TownId("second"));
  runtime.shortest = hours(1);
  runtime.longest = hours(2);
  for (int i = 0; i < 5; ++i) must(bead_in(rig), TownId("second"));
  run_for(minutes(10));
  EXPECT_EQ(live_runs(TownId("second")), 4u);
}

}  // namespace
}  // namespace townd
