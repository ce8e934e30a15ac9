#include "node.hpp"

/// Towns in which nothing happens leave memory and come back.
namespace townd {
namespace {

class Away : public Node {
 protected:
  /// The only share of the node is the first one's; `quiet` has none and wants none.
  Away() {
    options.max_agents = 1;
    start();
    make_town("busy");
    make_town("quiet");
    rig = make_rig(quiet);
  }
  int loads() { return store.loads_of(quiet); }
  bool present_after(Duration pause) {
    run_for(pause);
    const int before = loads();
    static_cast<void>(read([](const Engine::View&) { return true; }, quiet));
    return loads() == before;
  }
  int gaps_told(const TownId& id) {
    int told_of = 0;
    for (const auto& [event, fate] : store.events_of(id))
      told_of += std::holds_alternative<events::ObservationGap>(event.body) ? 1 : 0;
    return told_of;
  }

  const TownId quiet{"quiet"};
  RigId rig;
};

TEST_F(Away, AnIdleTownLeavesAndIsReadAgainWhenItIsNamed) {
  auto held = bead_in(rig);
  held.held = true;
  const std::string bead = must(std::move(held), quiet).created.front();
  const Hash128 before = store.ticks_of(quiet).back().digest;
  EXPECT_TRUE(present_after(minutes(5)));
  EXPECT_FALSE(present_after(minutes(20)));
  EXPECT_EQ(status_of(bead, quiet), BeadStatus::open);
  EXPECT_EQ(read([](const Engine::View& view) { return Town(view.town).digest(); }, quiet), before);
  run_for(minutes(30));
  const int loads_before = loads();
  must(events::BeadCancelled{BeadId(bead), "failed", "somebody"}, quiet);
  EXPECT_EQ(loads(), loads_before + 1);
  EXPECT_EQ(gaps_told(quiet), 0) << "that it was away is no time in which nobody listened";
}

TEST_F(Away, ATownThatWantsToWorkStays) {
  must(bead_in(rig), quiet);
  EXPECT_TRUE(present_after(minutes(30)));
}

TEST_F(Away, ATownComesBackWhenARuleWaitsForThatMoment) {
  events::EscalationRaised help;
  help.title = "help";
  help.severity = Priority::medium;
  const std::string bead = must(std::move(help), quiet).created.front();
  run_for(minutes(20));
  const int before = loads();
  run_for(hours(5));
  EXPECT_GT(loads(), before) << "nobody named it";
  const auto raised = read(
      [&](const Engine::View& view) {
        return std::get<Escalation>(*view.town.bead(BeadId(bead))->detail).re_escalation_count;
      },
      quiet);
  EXPECT_EQ(raised, 1);
}

TEST_F(Away, WhatChangesAboutTheNodeIsToldToThoseWhoWereAway) {
  run_for(minutes(20));
  const int before = loads();
  runtime.node.disk_low = true;
  run_for(minutes(2));
  EXPECT_GT(loads(), before);
  EXPECT_TRUE(read([](const Engine::View& view) { return view.town.row().node.disk_low; }, quiet));
}

TEST_F(Away, ItsIdAndItsPrefixStayTaken) {
  const std::string prefix = read([](const Engine::View& view) { return view.town.row().prefix; }, quiet);
  run_for(minutes(20));
  const int before = loads();
  for (const auto& [id, its_prefix] : {std::pair<std::string, std::string>{"quiet", "zz"}, {"other", prefix}}) {
    TownRow row;
    row.town_id = TownId(id);
    row.name = id;
    row.prefix = its_prefix;
    std::optional<expected<Receipt>> made;
    engine->create_town(std::move(row), [&](expected<Receipt> receipt) { made = std::move(receipt); });
    step();
    ASSERT_TRUE(made);
    EXPECT_FALSE(*made);
  }
  EXPECT_EQ(loads(), before);
}

TEST_F(Away, ATownThatCannotBeReadIsTriedAgain) {
  run_for(minutes(20));
  store.fail_loads = 1;
  const auto refused = ask(events::TownPaused{}, quiet);
  step();
  ASSERT_TRUE(*refused);
  EXPECT_FALSE(**refused);
  run_for(minutes(1));
  must(events::TownPaused{}, quiet);
}

TEST_F(Away, AfterARestartEachOfManyTownsHearsOfTheGap) {
  constexpr int kTowns = 300;  // more than are kept
  for (int i = 0; i < kTowns; ++i) make_town("t" + std::to_string(i));
  kill();
  clock.at = clock.at + minutes(20);
  start();
  run_for(minutes(5));
  for (int i = 0; i < kTowns; ++i) EXPECT_EQ(gaps_told(TownId("t" + std::to_string(i))), 1) << i;
  EXPECT_EQ(engine->towns().size(), kTowns + 2U);
  must(events::TownPaused{}, TownId("t299"));
}

}  // namespace
}  // namespace townd
