#include <gtest/gtest.h>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite_store.hpp"

namespace townd {
namespace {

class Prune : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = std::move(SqliteStore::open(folder_.path()).value());
    commit(sample::founding("a"));
  }
  void commit(TownCommit what) { ASSERT_TRUE(commit_and_wait(*store_, std::move(what))); }
  std::vector<std::int64_t> events_left() {
    std::vector<std::int64_t> seqs;
    const auto rows = store_->events(town_, {});
    for (const EventRow& row : *rows) seqs.push_back(row.seq);
    return seqs;
  }
  std::size_t ticks_left() { return store_->ticks(town_, {})->size(); }

  ScratchFolder folder_;
  TownId town_ = sample::town_id("a");
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(Prune, AppliedEventsAndTicksBeforeTheMomentGo) {
  for (std::int64_t n = 1; n <= 5; ++n) commit(sample::work("a", n));  // events 2 to 6, at their minutes
  EXPECT_GT(*store_->prune(sample::at(4)), 0);
  EXPECT_EQ(events_left(), (std::vector<std::int64_t>{1, 4, 5, 6})) << "the first is deferred, so it stays";
  EXPECT_EQ(ticks_left(), 3u);
  EXPECT_EQ(*store_->prune(sample::at(4)), 0);
}

TEST_F(Prune, CountingGoesOnWhereItWasWhenAllIsForgotten) {
  for (std::int64_t n = 1; n <= 5; ++n) commit(sample::work("a", n));
  ASSERT_TRUE(store_->prune(kNever));
  EXPECT_EQ(events_left(), (std::vector<std::int64_t>{1, 6}));
  const auto town = store_->load(town_);
  EXPECT_EQ(town->next_seq, 7);
  EXPECT_EQ(town->next_tick, 7);
  EXPECT_EQ(town->last_tick_at, sample::at(6));
}

TEST_F(Prune, WhatAnAgentSaidGoesAndItsCountingGoesOn) {
  const AgentId agent = store_->load(town_)->image.agents.at(0).agent_id;
  const AgentId gone("gone");
  for (std::int64_t n = 1; n <= 3; ++n) {
    ASSERT_TRUE(store_->add_agent_event(town_, agent, {0, "message", "1", sample::at(n)}));
    ASSERT_TRUE(store_->add_agent_event(town_, gone, {0, "message", "1", sample::at(n)}));
  }
  ASSERT_TRUE(store_->prune(sample::at(3)));
  EXPECT_EQ(store_->agent_events(town_, agent, 0, 10)->size(), 1u);
  ASSERT_TRUE(store_->prune(kNever));
  EXPECT_EQ(store_->agent_events(town_, gone, 0, 10)->size(), 0u);
  EXPECT_EQ(*store_->add_agent_event(town_, agent, {0, "message", "1", sample::at(4)}), 4);
}

TEST_F(Prune, NeverTouchesTheStateThePendingAndWhatIsStillToBeDone) {
  TownCommit pending;
  pending.town_id = town_;
  pending.events = {sample::event(2, events::TownPaused{"holidays"}), sample::event(3, events::TownResumed{})};
  commit(pending);
  commit(sample::work("a", 3));
  const auto before = sample::lines(store_->load(town_)->image);
  ASSERT_TRUE(store_->prune(kNever));
  const auto town = store_->load(town_);
  EXPECT_EQ(sample::lines(town->image), before);
  EXPECT_EQ(town->pending.size(), 2u);
  EXPECT_EQ(town->outbox.size(), 1u);
}

TEST_F(Prune, FinishedEffectsGoAndEndedTokensOfAgents) {
  commit(sample::work("a", 1));
  TownCommit outcome;
  outcome.town_id = town_;
  outcome.outcomes = {{{"start 1", effects::StartAgent{RunId("a-run")}}, EffectState::done, 1, ""}};
  commit(outcome);
  const TokenRow person{"p", "01", "admin", "", "", "", sample::at(0), std::nullopt, false};
  TokenRow agent{"r1", "02", "agent", town_.text, "a-agent", "a-run", sample::at(0), sample::at(1), false};
  ASSERT_TRUE(store_->put_token(person));
  ASSERT_TRUE(store_->put_token(agent));
  agent = {"r2", "03", "agent", town_.text, "a-agent", "a-run", sample::at(0), std::nullopt, false};
  ASSERT_TRUE(store_->put_token(agent));
  EXPECT_EQ(*store_->prune(sample::at(2)), 2) << "the founding tick, the ended token, and nothing else";
  EXPECT_EQ(store_->tokens()->size(), 2u);
  EXPECT_GT(*store_->prune(sample::at(3)), 0) << "the effect";
}

TEST_F(Prune, TheHistoryOfABeadStaysAsLongAsTheBeadIsInTheValue) {
  commit(sample::work("a", 1));
  const Bead bead = sample::bead("a", 101);
  ASSERT_TRUE(store_->prune(kNever));
  EXPECT_EQ(store_->history(town_, bead.bead_id, 10)->size(), 1u);
  TownCommit archive;
  archive.town_id = town_;
  archive.rows = {sample::gone(bead)};
  commit(archive);
  ASSERT_TRUE(store_->prune(kNever));
  EXPECT_TRUE(store_->history(town_, bead.bead_id, 10)->empty());
}

TEST_F(Prune, MoreThanOneStepOfRowsGoesInSeveralTransactions) {
  TownCommit many;
  many.town_id = town_;
  many.tick = std::make_shared<const TickRecord>(sample::tick(2));
  for (std::int64_t seq = 2; seq <= 2502; ++seq) {
    many.events.push_back(sample::event(2, events::TownResumed{}));
    many.events.back().seq = seq;
    many.processed.push_back({seq, EventFate::applied, "", {}});
  }
  commit(many);
  const CommitCounters before = store_->counters();
  EXPECT_EQ(*store_->prune(kNever), 2501) << "2500 events and a tick";
  EXPECT_EQ(store_->counters().groups - before.groups, 4);
  EXPECT_EQ(events_left(), (std::vector<std::int64_t>{1, 2502}));
}

}  // namespace
}  // namespace townd
