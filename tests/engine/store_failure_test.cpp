#include "tests/engine/node.hpp"

namespace townd {
namespace {

using StoreFailure = Node;

TEST_F(StoreFailure, AFailedCommitIsAnswered503AndTheTownGoesOnFromTheStore) {
  const RigId rig = town_with_rig();
  store.fail_next = 1;
  const auto failed = ask(bead_in(rig, "lost"));
  step();
  ASSERT_TRUE(*failed);
  ASSERT_FALSE(**failed);
  EXPECT_EQ((*failed)->error().code, Error::Code::unavailable);
  EXPECT_TRUE((*failed)->error().what.starts_with("store_failed"));
  EXPECT_EQ(read([](const Engine::View& view) { return view.town.bead_count(); }), 0u);
  EXPECT_TRUE(runtime.starts().empty());
  const std::string bead = must(bead_in(rig, "kept")).created.front();
  EXPECT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
}

TEST_F(StoreFailure, TheEndOfAnAgentIsNotLostWithTheCommitThatHadIt) {
  const RigId rig = town_with_rig();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::crashes; };
  must(bead_in(rig));
  ASSERT_EQ(runtime.alive().size(), 1u);
  while (!runtime.alive().empty()) {
    clock.at = std::max(clock.now(), std::min(step(), runtime.next()));
    runtime.live();
  }
  store.fail_next = 1;
  step();
  EXPECT_EQ(told.alerts_of("store_failed"), 1);
  const RunId first = runtime.starts().begin()->first;
  EXPECT_EQ(read([&](const Engine::View& view) { return view.town.run(first)->outcome; }), Outcome::crashed);
}

TEST_F(StoreFailure, WhatTheNodeWasLikeInAFailedCommitIsNotSaidAgainAfterItHasChanged) {
  town_with_rig();
  const auto disk_low = [&] { return read([](const Engine::View& view) { return view.town.row().node.disk_low; }); };
  store.by_hand = true;
  runtime.node.disk_low = true;
  run_for(minutes(1));  // its commit is in the store's hands
  ASSERT_EQ(store.unflushed(), 1u);
  runtime.node.disk_low = false;
  run_for(minutes(1));
  store.fail_next = 1;
  store.by_hand = false;
  store.flush();
  run_for(minutes(1));
  EXPECT_FALSE(disk_low());
  EXPECT_EQ(told.alerts_of("store_failed"), 1);
}

TEST_F(StoreFailure, ATownThatCannotBeReadAgainRefusesUntilItCan) {
  const RigId rig = town_with_rig();
  store.fail_next = 1;
  store.fail_loads = 2;
  const auto failed = ask(bead_in(rig));
  step();
  ASSERT_TRUE(*failed);
  const auto refused = ask(bead_in(rig));
  step();
  ASSERT_TRUE(*refused);
  EXPECT_EQ((*refused)->error().code, Error::Code::unavailable);
  EXPECT_FALSE(read([](const Engine::View& view) { return view.quarantined; }).empty());
  run_for(seconds(10));
  EXPECT_TRUE(read([](const Engine::View& view) { return view.quarantined; }).empty());
  must(bead_in(rig));
}

TEST_F(StoreFailure, ATownThatCouldNotBeMadeIsNotThere) {
  store.fail_next = 1;
  TownRow row;
  row.town_id = TownId("town");
  std::optional<expected<Receipt>> answer;
  engine->create_town(std::move(row), [&](expected<Receipt> receipt) { answer = std::move(receipt); });
  step();
  ASSERT_TRUE(answer);
  EXPECT_FALSE(*answer);
  EXPECT_TRUE(engine->towns().empty());
  make_town("town");
}

TEST_F(StoreFailure, ATownThatCannotBeReadAtTheStartIsQuarantinedAndTheOthersGoOn) {
  make_town("first");
  make_town("second");
  kill();
  store.fail_loads = 1;
  start();
  step();
  EXPECT_EQ(told.alerts_of("town_quarantined"), 1);
  const auto refused = ask(events::DrainStarted{}, TownId("first"));
  const auto accepted = ask(events::DrainStarted{}, TownId("second"));
  step();
  EXPECT_FALSE(**refused);
  EXPECT_TRUE(**accepted);
}

TEST_F(StoreFailure, TwoTownsCommitIndependently) {
  make_town("first");
  make_town("second");
  store.by_hand = true;
  const auto first = ask(events::DrainStarted{}, TownId("first"));
  step();
  const auto second = ask(events::DrainStarted{}, TownId("second"));
  step();
  EXPECT_EQ(store.unflushed(), 2u);
  store.fail_next = 1;
  store.flush();
  step();
  EXPECT_FALSE(**first);
  EXPECT_TRUE(**second);
}

}  // namespace
}  // namespace townd
