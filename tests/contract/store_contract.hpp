#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>

#include "contract/sample_town.hpp"
#include "ports/store.hpp"

/// What every Store does. A `Subject` makes one: `Store& store()`, and `void restart()`, after which `store()` is one
/// that was closed and opened again (or the same, for one that lives in memory).
namespace townd {

inline expected<void> commit_and_wait(Store& store, TownCommit commit) {
  const auto answer = std::make_shared<std::promise<expected<void>>>();
  store.commit(std::move(commit), [answer](const expected<void>& done) { answer->set_value(done); });
  return answer->get_future().get();
}

template <class Subject>
class StoreContract : public ::testing::Test {
 protected:
  Store& store() { return subject_.store(); }
  void restart() { subject_.restart(); }
  void commit(TownCommit what) {
    const expected<void> done = commit_and_wait(store(), std::move(what));
    ASSERT_TRUE(done) << done.error().what;
  }
  LoadedTown load(const std::string& prefix) {
    expected<LoadedTown> loaded = store().load(sample::town_id(prefix));
    EXPECT_TRUE(loaded) << loaded.error().what;
    return loaded ? std::move(*loaded) : LoadedTown{};
  }
  std::vector<EventRow> events(EventQuery query) {
    expected<std::vector<EventRow>> found = store().events(sample::town_id("a"), query);
    EXPECT_TRUE(found) << found.error().what;
    return found ? *found : std::vector<EventRow>{};
  }

 private:
  Subject subject_;
};

TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, AnEmptyStoreHasNoTowns) {
  const auto towns = this->store().towns();
  ASSERT_TRUE(towns);
  EXPECT_TRUE(towns->empty());
}

TYPED_TEST_P(StoreContract, ATownComesBackWithARowOfEveryKind) {
  const TownCommit founding = sample::founding("a");
  this->commit(founding);
  this->restart();
  const LoadedTown town = this->load("a");
  EXPECT_EQ(sample::lines(town.image), sample::lines(founding.rows));
  const auto towns = this->store().towns();
  ASSERT_TRUE(towns);
  EXPECT_EQ(*towns, std::vector<TownId>{sample::town_id("a")});
}

TYPED_TEST_P(StoreContract, AnUnknownTownIsNotFound) {
  const auto town = this->store().load(TownId("nowhere"));
  ASSERT_FALSE(town);
  EXPECT_EQ(town.error().code, Error::Code::not_found);
}

TYPED_TEST_P(StoreContract, ARowWrittenAgainReplacesTheOldOne) {
  this->commit(sample::founding("a"));
  Bead changed = sample::bead("a", 1);
  changed.status = BeadStatus::closed;
  changed.closed_at = sample::at(9);
  TownCommit edit;
  edit.town_id = sample::town_id("a");
  edit.rows = {sample::put(changed)};
  this->commit(edit);
  this->restart();
  const LoadedTown town = this->load("a");
  ASSERT_EQ(town.image.beads.size(), 1u);
  EXPECT_EQ(town.image.beads[0].status, BeadStatus::closed);
  EXPECT_EQ(town.image.beads[0].closed_at, sample::at(9));
}

TYPED_TEST_P(StoreContract, RowsThatAreGoneAreNotLoadedAndMayComeBack) {
  const TownCommit founding = sample::founding("a");
  this->commit(founding);
  TownCommit end;
  TownCommit again;
  end.town_id = again.town_id = sample::town_id("a");
  for (const RowChange& change : founding.rows) {
    if (change.key.table == RowKey::Table::town) continue;
    end.rows.push_back(sample::gone(*change.row));
    again.rows.push_back(change);
  }
  this->commit(end);
  EXPECT_EQ(sample::lines(this->load("a").image).size(), 1u) << "only the town's own row is left";
  this->commit(again);
  EXPECT_EQ(sample::lines(this->load("a").image), sample::lines(founding.rows));
}

TYPED_TEST_P(StoreContract, OnlyEventsWithoutAnOutcomeArePending) {
  TownCommit commit = sample::founding("a");
  events::BeadCreated wish;
  wish.title = "Write the index";
  commit.events.push_back(sample::event(2, wish));
  commit.events.push_back(sample::event(3, events::AgentSaid{AgentId("a-agent"), "on it"}));
  commit.events.push_back(sample::event(4, events::TownPaused{"holidays"}));
  commit.processed.push_back({3, EventFate::applied, "", {}});
  this->commit(commit);
  this->restart();
  const LoadedTown town = this->load("a");
  ASSERT_EQ(town.pending.size(), 2u);
  EXPECT_EQ(town.pending[0].seq, 2);
  EXPECT_EQ(town.pending[0].created_at, sample::at(2));
  EXPECT_EQ(std::get<events::BeadCreated>(town.pending[0].body).title, "Write the index");
  EXPECT_EQ(std::get<events::TownPaused>(town.pending[1].body).reason, "holidays");
  EXPECT_EQ(town.next_seq, 5);
}

TYPED_TEST_P(StoreContract, CountingGoesOnAfterTheLastEventAndTick) {
  this->commit(sample::founding("a"));
  for (std::int64_t n = 1; n <= 3; ++n) this->commit(sample::work("a", n));
  this->restart();
  const LoadedTown town = this->load("a");
  EXPECT_EQ(town.next_seq, 5);
  EXPECT_EQ(town.next_tick, 5);
  EXPECT_EQ(town.last_tick_at, sample::at(4));
}

TYPED_TEST_P(StoreContract, TheOutboxHoldsWhatIsPendingOrInDoubtOldestFirst) {
  this->commit(sample::founding("a"));
  for (std::int64_t n = 1; n <= 4; ++n) this->commit(sample::work("a", n));
  const Effect start{"", effects::StartAgent{RunId("a-run")}};
  TownCommit outcomes;
  outcomes.town_id = sample::town_id("a");
  outcomes.outcomes = {{{"start 3", start.body}, EffectState::unknown, 2, "no answer"},
                       {{"start 1", start.body}, EffectState::done, 1, ""},
                       {{"start 4", start.body}, EffectState::failed, 1, "refused"}};
  this->commit(outcomes);
  this->restart();
  const LoadedTown town = this->load("a");
  ASSERT_EQ(town.outbox.size(), 2u);
  EXPECT_EQ(town.outbox[0].effect.key, "start 2");
  EXPECT_EQ(town.outbox[0].state, EffectState::pending);
  EXPECT_EQ(std::get<effects::StartAgent>(town.outbox[0].effect.body).run_id, RunId("a-run"));
  EXPECT_EQ(town.outbox[1].effect.key, "start 3");
  EXPECT_EQ(town.outbox[1].state, EffectState::unknown);
  EXPECT_EQ(town.outbox[1].attempts, 2);
  EXPECT_EQ(town.outbox[1].detail, "no answer");
}

TYPED_TEST_P(StoreContract, HistoryIsTheNewestLinesOldestFirst) {
  TownCommit commit = sample::founding("a");
  for (const char* status : {"open", "in_progress", "in_review", "closed"})
    commit.history.push_back(
        {BeadId("a-1"), AgentId("a-agent"), "status_changed", "", status, "beads.assign", sample::at(1)});
  commit.history.push_back({BeadId("a-2"), AgentId(), "created", "", "", "", sample::at(1)});
  this->commit(commit);
  const auto history = this->store().history(sample::town_id("a"), BeadId("a-1"), 2);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0].new_value, "in_review");
  EXPECT_EQ((*history)[1].new_value, "closed");
  EXPECT_EQ((*history)[1].agent_id, AgentId("a-agent"));
  EXPECT_EQ((*history)[1].rule, "beads.assign");
}

TYPED_TEST_P(StoreContract, ATextIsFoundByItsHashInItsTownOnly) {
  this->commit(sample::founding("a"));
  this->commit(sample::work("a", 1));
  this->commit(sample::founding("b"));
  const Hash128 hash = siphash128("text 1");
  const auto here = this->store().text(sample::town_id("a"), hash);
  ASSERT_TRUE(here);
  EXPECT_EQ(*here, "text 1");
  const auto there = this->store().text(sample::town_id("b"), hash);
  ASSERT_TRUE(there);
  EXPECT_FALSE(there->has_value());
}

TYPED_TEST_P(StoreContract, TownsDoNotSeeOneAnother) {
  const TownCommit a = sample::founding("a");
  TownCommit b = sample::founding("b");
  b.rows.push_back(sample::put(sample::bead("a", 1)));  // the same id in another town
  this->commit(a);
  this->commit(b);
  TownCommit end;
  end.town_id = sample::town_id("b");
  end.rows = {sample::gone(sample::bead("a", 1))};
  this->commit(end);
  EXPECT_EQ(sample::lines(this->load("a").image), sample::lines(a.rows));
  EXPECT_EQ(this->load("b").image.beads.size(), 1u);
}

TYPED_TEST_P(StoreContract, ATokenIsReplacedByItsId) {
  TokenRow token{"k1", "00ff", "agent", "town-a", "a-agent", "a-run", sample::at(1), std::nullopt, false};
  ASSERT_TRUE(this->store().put_token(token));
  token.ended_at = sample::at(2);
  token.revoked = true;
  ASSERT_TRUE(this->store().put_token(token));
  this->restart();
  const auto tokens = this->store().tokens();
  ASSERT_TRUE(tokens);
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_EQ((*tokens)[0].id, "k1");
  EXPECT_EQ((*tokens)[0].hash, "00ff");
  EXPECT_EQ((*tokens)[0].role, "agent");
  EXPECT_EQ((*tokens)[0].town_id, "town-a");
  EXPECT_EQ((*tokens)[0].agent_id, "a-agent");
  EXPECT_EQ((*tokens)[0].run_id, "a-run");
  EXPECT_EQ((*tokens)[0].created_at, sample::at(1));
  EXPECT_EQ((*tokens)[0].ended_at, sample::at(2));
  EXPECT_TRUE((*tokens)[0].revoked);
}

TYPED_TEST_P(StoreContract, OfWhatAnAgentSaidTheNewestAreKept) {
  this->commit(sample::founding("a"));
  const TownId town = sample::town_id("a");
  const auto say = [&](const std::string& agent, std::int64_t n) {
    const auto id =
        this->store().add_agent_event(town, AgentId(agent), {0, "message", std::to_string(n), sample::at(n)});
    return id ? *id : -1;
  };
  for (std::int64_t n = 1; n <= kAgentEventsKept + 1; ++n) ASSERT_EQ(say("a-agent", n), n);
  EXPECT_EQ(say("a-other", 7), 1) << "each agent counts its own";
  this->restart();
  const auto some = this->store().agent_events(town, AgentId("a-agent"), 0, 2);
  ASSERT_TRUE(some);
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ((*some)[0].id, 2) << "the first has gone";
  EXPECT_EQ((*some)[0].event_type, "message");
  EXPECT_EQ((*some)[0].data, "2");
  EXPECT_EQ((*some)[0].created_at, sample::at(2));
  const auto rest = this->store().agent_events(town, AgentId("a-agent"), kAgentEventsKept, 10);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].id, kAgentEventsKept + 1);
  EXPECT_TRUE(this->store().agent_events(sample::town_id("b"), AgentId("a-agent"), 0, 10)->empty());
}

TYPED_TEST_P(StoreContract, CommitsAreAnsweredInTheirOrder) {
  this->commit(sample::founding("a"));
  std::vector<std::int64_t> answered;  // written by one thread, read after the last answer
  std::promise<void> last;
  for (std::int64_t n = 1; n <= 20; ++n)
    this->store().commit(sample::work("a", n), [&, n](const expected<void>& done) {
      answered.push_back(done ? n : -n);
      if (n == 20) last.set_value();
    });
  last.get_future().get();
  std::vector<std::int64_t> in_order;
  for (std::int64_t n = 1; n <= 20; ++n) in_order.push_back(n);
  EXPECT_EQ(answered, in_order);
  EXPECT_EQ(this->load("a").next_seq, 22);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, AnEmptyStoreHasNoTowns, ATownComesBackWithARowOfEveryKind,
                            AnUnknownTownIsNotFound, ARowWrittenAgainReplacesTheOldOne,
                            RowsThatAreGoneAreNotLoadedAndMayComeBack, OnlyEventsWithoutAnOutcomeArePending,
                            CountingGoesOnAfterTheLastEventAndTick, TheOutboxHoldsWhatIsPendingOrInDoubtOldestFirst,
                            HistoryIsTheNewestLinesOldestFirst, ATextIsFoundByItsHashInItsTownOnly,
                            TownsDoNotSeeOneAnother, ATokenIsReplacedByItsId, OfWhatAnAgentSaidTheNewestAreKept,
                            CommitsAreAnsweredInTheirOrder);

}  // namespace townd
