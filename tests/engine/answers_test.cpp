#include <algorithm>

#include "tests/engine/node.hpp"

namespace townd {
namespace {

using Answers = Node;

TEST_F(Answers, ABeadIsWorkedOnReviewedLandedAndClosed) {
  const RigId rig = town_with_rig();
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  const auto landings = forge.landings();
  ASSERT_EQ(landings.size(), 1u);
  EXPECT_EQ(landings.begin()->second.size(), 1u);
}

TEST_F(Answers, ACallerHearsNothingBeforeTheCommitIsDurable) {
  const RigId rig = town_with_rig();
  store.by_hand = true;
  const auto answer = ask(bead_in(rig));
  step();
  EXPECT_FALSE(*answer);
  EXPECT_TRUE(runtime.starts().empty());
  store.flush();
  step();
  ASSERT_TRUE(*answer);
  EXPECT_TRUE(**answer);
  EXPECT_EQ(runtime.starts().size(), 1u);
}

TEST_F(Answers, ARefusedRequestIsAnsweredAtOnceAndLeavesNothing) {
  town_with_rig();
  const std::size_t events_before = store.events_of(TownId("town")).size();
  store.by_hand = true;
  const auto answer = ask(events::BeadReopened{BeadId("nothing-1"), "a person"});
  step();
  ASSERT_TRUE(*answer);
  ASSERT_FALSE(**answer);
  EXPECT_EQ((*answer)->error().code, Error::Code::not_found);
  EXPECT_EQ(store.unflushed(), 0u);
  EXPECT_EQ(store.events_of(TownId("town")).size(), events_before);
}

TEST_F(Answers, ARequestIsValidatedAgainstWhatThoseBeforeItInTheSameTickMake) {
  const RigId rig = town_with_rig();
  events::BeadCreated held = bead_in(rig, "first");
  held.held = true;
  const BeadId first(must(held).created.front());
  held.title = "second";
  const BeadId second(must(held).created.front());
  const auto there = ask(events::DependencyAdded{{first, second, DependencyKind::blocks}});
  const auto back = ask(events::DependencyAdded{{second, first, DependencyKind::blocks}});
  step();
  ASSERT_TRUE(*there && *back);
  EXPECT_TRUE(**there);
  ASSERT_FALSE(**back);
  EXPECT_EQ((*back)->error().code, Error::Code::conflict);
  std::vector<EventFate> fates;
  for (const auto& [event, fate] : store.events_of(TownId("town")))
    if (std::holds_alternative<events::DependencyAdded>(event.body)) fates.push_back(fate);
  EXPECT_EQ(fates, (std::vector{EventFate::applied, EventFate::refused}));
  EXPECT_TRUE(read([&](const Engine::View& view) { return view.town.links(first).blocked.empty(); }));
}

TEST_F(Answers, AFactThatIsMadeOfTheStateMeetsTheStateOfItsTick) {
  const RigId rig = town_with_rig();
  std::optional<expected<Receipt>> made, refused;
  const auto in_first_rig = [](const Town& town) -> expected<EventBody> {
    if (town.rig_ids().empty()) return fail(Error::Code::not_found, "there is no rig");
    events::BeadCreated bead = bead_in(town.rig_ids().front());
    bead.held = true;
    return bead;
  };
  engine->submit(TownId("town"), in_first_rig, [&](expected<Receipt> answer) { made = std::move(answer); });
  step();
  ASSERT_TRUE(made && *made);
  EXPECT_EQ(read([&](const Engine::View& view) { return view.town.bead(BeadId((*made)->created.front()))->rig_id; }),
            rig);
  make_town("empty");
  const std::size_t events_before = store.events_of(TownId("empty")).size();
  engine->submit(TownId("empty"), in_first_rig, [&](expected<Receipt> answer) { refused = std::move(answer); });
  step();
  ASSERT_TRUE(refused);
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error().code, Error::Code::not_found);
  EXPECT_EQ(store.events_of(TownId("empty")).size(), events_before);
}

TEST_F(Answers, WhatArrivesWhileACommitIsInFlightGoesIntoOneTickTogether) {
  const RigId rig = town_with_rig();
  store.by_hand = true;
  const auto first = ask(bead_in(rig));
  step();
  const auto second = ask(bead_in(rig));
  const auto third = ask(bead_in(rig));
  step();
  EXPECT_EQ(store.unflushed(), 1u);
  store.flush();
  step();
  store.flush();
  step();
  ASSERT_TRUE(*second && **second && *third && **third);
  EXPECT_EQ((**second)->tick, (**third)->tick);
  EXPECT_LT((**first)->tick, (**second)->tick);
}

TEST_F(Answers, AnUnknownTownIsNotFound) {
  const auto answer = ask(events::DrainStarted{}, TownId("nowhere"));
  step();
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->error().code, Error::Code::not_found);
}

TEST_F(Answers, OneEventMoreThanTheLimitIsTooMany) {
  options.pending_limit = 3;
  start();
  const RigId rig = town_with_rig();
  std::vector<std::shared_ptr<std::optional<expected<Receipt>>>> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(ask(bead_in(rig)));
  step();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(**answers[static_cast<std::size_t>(i)]);
  ASSERT_FALSE(**answers[3]);
  EXPECT_EQ((*answers[3])->error().code, Error::Code::too_many);
}

TEST_F(Answers, ATownNeedsAnIdAndAPrefixOfItsOwn) {
  make_town("town");
  const auto refusal = [&](const std::string& id, const std::string& prefix) {
    TownRow row;
    row.town_id = TownId(id);
    row.prefix = prefix;
    std::optional<expected<Receipt>> answer;
    engine->create_town(std::move(row), [&](expected<Receipt> receipt) { answer = std::move(receipt); });
    step();
    return answer && !*answer ? answer->error().code : Error::Code::internal;
  };
  EXPECT_EQ(refusal("", "zz"), Error::Code::invalid);
  EXPECT_EQ(refusal("town", "zz"), Error::Code::conflict);
  EXPECT_EQ(refusal("other", "Zz"), Error::Code::invalid);
  EXPECT_EQ(refusal("other", "toolong"), Error::Code::invalid);
  EXPECT_EQ(refusal("other", "to"), Error::Code::conflict);  // what "town" was given
  EXPECT_EQ(engine->towns().size(), 1u);
}

TEST_F(Answers, AnIdleTickWritesNothing) {
  town_with_rig();
  run_for(minutes(10));
  const int commits = store.commits();
  run_for(hours(2));
  EXPECT_EQ(store.commits(), commits);
}

TEST_F(Answers, SignsOfLifeAloneWriteNothingAndAreInTheNextRecord) {
  const RigId rig = town_with_rig();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::idles; };
  must(bead_in(rig));
  run_for(seconds(5));
  const int commits = store.commits();
  run_for(minutes(3));
  EXPECT_EQ(store.commits(), commits);
  const std::size_t records = told.ticks.size();
  must(bead_in(rig, "another"));
  ASSERT_GT(told.ticks.size(), records);
  EXPECT_FALSE(told.ticks[records].life.empty());
}

TEST_F(Answers, CloseAnswersWhatWasSubmittedAndDispatchesNothing) {
  const RigId rig = town_with_rig();
  const auto answer = ask(bead_in(rig));
  engine->close();
  ASSERT_TRUE(*answer && **answer);
  const auto late = ask(bead_in(rig));
  step();
  ASSERT_TRUE(*late);
  EXPECT_EQ((*late)->error().code, Error::Code::unavailable);
  EXPECT_TRUE(runtime.starts().empty());
  kill();
  start();
  step();
  EXPECT_EQ(runtime.starts().size(), 1u);
}

}  // namespace
}  // namespace townd
