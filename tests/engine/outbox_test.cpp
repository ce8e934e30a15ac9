#include <algorithm>

#include "engine/effect_queue.hpp"
#include "engine/token.hpp"
#include "tests/engine/node.hpp"

namespace townd {
namespace {

/// Jobs wait until the test runs them.
class OutsideWork : public Node {
 protected:
  OutsideWork() {
    pool = [this](std::string_view kind, std::function<void()> job) { jobs.emplace_back(kind, std::move(job)); };
    start();
  }
  void run_jobs() {
    for (auto& [kind, job] : std::exchange(jobs, {})) job();
  }
  /// Steps and runs what waits until nothing does.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      step();
      run_jobs();
    }
  }
  [[nodiscard]] std::ptrdiff_t waiting(std::string_view kind) const {
    return std::count_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job.first == kind; });
  }
  std::vector<std::pair<std::string, std::function<void()>>> jobs;
};

TEST_F(OutsideWork, AnEffectThatWasUnderWayAtAKillIsDoneByTheNextDaemon) {
  const RigId rig = town_with_rig();
  settle();
  must(bead_in(rig));
  ASSERT_EQ(waiting("start_agent"), 1);
  kill();
  jobs.clear();
  EXPECT_TRUE(runtime.starts().empty());
  start();
  settle();
  EXPECT_EQ(runtime.starts().size(), 1u);
}

TEST_F(OutsideWork, AnEffectThatWasDoneAtAKillIsRepeatedWithoutASecondAgent) {
  const RigId rig = town_with_rig();
  settle();
  must(bead_in(rig));
  run_jobs();  // started, but its answer is never heard
  kill();
  start();
  settle();
  ASSERT_EQ(runtime.starts().size(), 1u);
  EXPECT_EQ(runtime.starts().begin()->second, 1);
  for (const auto& [key, effect] : store.outbox_of(TownId("town"))) EXPECT_EQ(effect.state, EffectState::done) << key;
}

TEST_F(OutsideWork, OneKindRunsInItsOwnLanesInTheOrderOfTheOutbox) {
  options.start_lanes = 2;
  options.max_agents = 5;
  start();
  const RigId rig = town_with_rig();
  settle();
  for (int i = 0; i < 4; ++i) must(bead_in(rig));
  EXPECT_EQ(waiting("start_agent"), 2);
  settle();
  const auto& starts = runtime.starts();
  ASSERT_EQ(starts.size(), 4u);
}

TEST_F(OutsideWork, AStartThatIsNotBegunWhenItsRunIsOverIsNotMade) {
  const RigId rig = town_with_rig();
  settle();
  options.start_lanes = 1;
  kill();
  start();
  settle();
  const std::string first = must(bead_in(rig)).created.front();
  const std::string second = must(bead_in(rig)).created.front();
  must(events::BeadCancelled{BeadId(second), "failed", "a person"});
  settle();
  run_for(minutes(1));
  settle();
  EXPECT_EQ(runtime.starts().size(), 1u);
}

TEST_F(OutsideWork, AStartOfUnknownOutcomeIsInDoubtUntilTheAgentIsSeen) {
  const RigId rig = town_with_rig();
  settle();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::starts_unsaid; };
  must(bead_in(rig));
  settle();
  EXPECT_EQ(read([](const Engine::View& view) { return view.effects_in_doubt; }), 0);
  EXPECT_EQ(live_runs(), 1u);
  for (const auto& [key, effect] : store.outbox_of(TownId("town"))) {
    EXPECT_EQ(effect.state, EffectState::done) << key;
    if (std::holds_alternative<effects::StartAgent>(effect.effect.body)) {
      EXPECT_EQ(effect.detail, "settled by what was seen afterwards");
    }
  }
}

TEST_F(OutsideWork, AStopIsAskedForUntilItIsAnswered) {
  const RigId rig = town_with_rig();
  settle();
  runtime.shortest = runtime.longest = hours(3);
  const std::string bead = must(bead_in(rig)).created.front();
  settle();
  ASSERT_EQ(runtime.alive().size(), 1u);
  runtime.stops_unanswered = 3;
  must(events::BeadCancelled{BeadId(bead), "failed", "a person"});
  for (int i = 0; i < 60; ++i) {
    clock.pass(seconds(1));
    settle();
  }
  EXPECT_TRUE(runtime.alive().empty());
  EXPECT_EQ(runtime.stops().size(), 1u);
}

TEST_F(OutsideWork, EachRunHasATokenOfItsOwnThatTheStoreHasOnlyHashed) {
  const RigId rig = town_with_rig();
  settle();
  must(bead_in(rig));
  settle();
  const RunId run = runtime.starts().begin()->first;
  const std::string token = runtime.spec(run)->token;
  EXPECT_EQ(token.size(), 64u);
  const auto rows = store.tokens();
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().hash, hash_token(token));
  EXPECT_EQ(rows->front().run_id, run.text);
  EXPECT_EQ(rows->front().role, "agent");
  EXPECT_FALSE(rows->front().ended_at);
}

TEST_F(OutsideWork, ATokenEndsWithItsRun) {
  const RigId rig = town_with_rig();
  settle();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::crashes; };
  must(bead_in(rig));
  settle();
  clock.pass(minutes(5));
  runtime.live();
  settle();
  ASSERT_FALSE(store.tokens()->empty());
  EXPECT_TRUE(store.tokens()->front().ended_at);
}

TEST(Token, TheHashIsSha256) {
  EXPECT_EQ(hash_token("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Token, TwoTokensDiffer) { EXPECT_NE(make_token(), make_token()); }

StoredEffect alert(const std::string& key) { return {{key, effects::Alert{}}, EffectState::pending, 0, {}}; }

TEST(EffectQueue, AnEffectThatWaitsOrRunsIsNotAddedAgain) {
  EffectQueue queue(2);
  const TownId town("town");
  const auto anybody = [](const TownId&) { return true; };
  queue.add(town, alert("alert:a:1"));
  queue.add(town, alert("alert:a:1"));
  ASSERT_TRUE(queue.begin({}, anybody));
  queue.add(town, alert("alert:a:1"));
  EXPECT_FALSE(queue.begin({}, anybody));
  EXPECT_TRUE(queue.end(town, "alert:a:1"));
  EXPECT_FALSE(queue.end(town, "alert:a:1"));
}

TEST(EffectQueue, WhatMustWaitDoesNotKeepWhatIsBehindItWaiting) {
  EffectQueue queue(1);
  const TownId town("town");
  const auto anybody = [](const TownId&) { return true; };
  queue.add(town, alert("alert:later:1"), Instant{1'000});
  queue.add(town, alert("alert:now:2"));
  EXPECT_EQ(queue.begin(Instant{1}, anybody)->effect.effect.key, "alert:now:2");
  EXPECT_FALSE(queue.begin(Instant{1'000}, anybody));  // its lane is full
  queue.end(town, "alert:now:2");
  EXPECT_EQ(queue.due(Instant{1}), Instant{1'000});
  EXPECT_FALSE(queue.begin(Instant{999}, anybody));
  EXPECT_EQ(queue.begin(Instant{1'000}, anybody)->effect.effect.key, "alert:later:1");
}

TEST(EffectQueue, TheNextOfItsKindAndSubjectWaitsUntilTheAnswerIsCommitted) {
  EffectQueue queue(4);
  const TownId town("town");
  const auto anybody = [](const TownId&) { return true; };
  queue.add(town, alert("alert:a:1"));
  queue.add(town, alert("alert:a:2"));
  queue.add(town, alert("alert:ab:3"));
  EXPECT_EQ(queue.begin({}, anybody)->effect.effect.key, "alert:a:1");
  EXPECT_EQ(queue.begin({}, anybody)->effect.effect.key, "alert:ab:3");
  EXPECT_FALSE(queue.begin({}, anybody)) << "the first one runs";
  queue.end(town, "alert:a:1");
  EXPECT_FALSE(queue.begin({}, anybody)) << "what came of it is not committed";
  queue.settled(town, "alert:a:1");
  EXPECT_EQ(queue.begin({}, anybody)->effect.effect.key, "alert:a:2");
}

TEST(EffectQueue, OneThatIsTriedAgainIsNotInItsOwnWay) {
  EffectQueue queue(1);
  const TownId town("town");
  const auto anybody = [](const TownId&) { return true; };
  queue.add(town, alert("alert:a:1"));
  queue.begin({}, anybody);
  queue.add(town, queue.end(town, "alert:a:1")->effect);
  EXPECT_TRUE(queue.begin({}, anybody));
}

}  // namespace
}  // namespace townd
