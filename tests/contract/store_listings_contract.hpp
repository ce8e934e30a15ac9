#pragma once

#include "contract/store_contract.hpp"

namespace townd {

/// What people and programs are shown of the past.
template <class Subject>
class StoreListings : public StoreContract<Subject> {};

TYPED_TEST_SUITE_P(StoreListings);

TYPED_TEST_P(StoreListings, RowsAreInTheOrderOfTheirIds) {
  TownCommit founding = sample::founding("a");
  for (const std::int64_t n : {30, 4, 200, 9}) founding.rows.push_back(sample::put(sample::bead("a", n)));
  this->commit(founding);
  std::vector<std::string> ids;
  for (const Bead& bead : this->load("a").image.beads) ids.push_back(bead.bead_id.text);
  EXPECT_EQ(ids, (std::vector<std::string>{"a-1", "a-4", "a-9", "a-30", "a-200"}));
}

TYPED_TEST_P(StoreListings, EventsAreShownWithWhatBecameOfThem) {
  this->commit(sample::founding("a"));
  this->commit(sample::work("a", 1));
  const std::vector<EventRow> rows = this->events({});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].seq, 1);
  EXPECT_EQ(rows[0].event_type, "convoy_started");
  EXPECT_EQ(rows[0].fate, "deferred");
  EXPECT_EQ(rows[0].note, "not yet");
  EXPECT_FALSE(rows[0].processed_at);
  EXPECT_EQ(rows[1].fate, "applied");
  EXPECT_EQ(rows[1].created_at, sample::at(2));
  EXPECT_EQ(rows[1].processed_at, sample::at(2));
  EXPECT_NE(rows[1].payload.find("chapter"), std::string::npos);
}

TYPED_TEST_P(StoreListings, EventsAreFoundByTypeBeadAgentTimeAndPlace) {
  TownCommit commit = sample::founding("a");
  commit.events.push_back(sample::event(2, events::AgentSaid{AgentId("a-agent"), "on it"}));
  commit.events.push_back(sample::event(3, events::BeadReopened{BeadId("a-7"), "me"}));
  commit.events.push_back(sample::event(4, events::AgentSaid{AgentId("a-other"), "done"}));
  this->commit(commit);
  const auto seqs = [this](EventQuery query) {
    std::vector<std::int64_t> found;
    for (const EventRow& row : this->events(std::move(query))) found.push_back(row.seq);
    return found;
  };
  using Seqs = std::vector<std::int64_t>;
  EventQuery query;
  query.type = "agent_said";
  EXPECT_EQ(seqs(query), (Seqs{2, 4}));
  query.agent_id = "a-other";
  EXPECT_EQ(seqs(query), (Seqs{4}));
  query = {};
  query.bead_id = "a-7";
  EXPECT_EQ(seqs(query), (Seqs{3}));
  query = {};
  query.from = sample::at(2);
  query.to = sample::at(3);
  EXPECT_EQ(seqs(query), (Seqs{2, 3})) << "both ends are included";
  query = {};
  query.after_seq = 1;
  query.limit = 2;
  EXPECT_EQ(seqs(query), (Seqs{2, 3}));
}

TYPED_TEST_P(StoreListings, TicksAreListedAfterANumber) {
  this->commit(sample::founding("a"));
  for (std::int64_t n = 1; n <= 3; ++n) this->commit(sample::work("a", n));
  TickQuery query;
  query.after = 1;
  query.limit = 2;
  const auto ticks = this->store().ticks(sample::town_id("a"), query);
  ASSERT_TRUE(ticks);
  ASSERT_EQ(ticks->size(), 2u);
  EXPECT_EQ((*ticks)[0].number, 2);
  EXPECT_EQ((*ticks)[1].number, 3);
  EXPECT_EQ((*ticks)[1].at, sample::at(3));
  EXPECT_NE((*ticks)[1].record.find(sample::tick(3).digest.hex()), std::string::npos);
}

TYPED_TEST_P(StoreListings, TicksAreFoundByRuleBeadAgentViolationAndTime) {
  this->commit(sample::founding("a"));
  for (std::int64_t n = 1; n <= 4; ++n) {
    TownCommit commit = sample::work("a", n);
    TickRecord record = *commit.tick;
    if (n == 2) {
      Decided& decided = record.decisions.emplace_back();
      decided.rule = "beads.assign";
      decided.stage = Stage::issues;
      decided.subject = SubjectKey("a-102");
      decided.actions = {actions::HookAgent{AgentId("a-9"), BeadId("a-102")}};
    }
    if (n == 3) record.violations.push_back({5, "a-103", "it says \"a-9\"", "beads.moot"});
    commit.tick = std::make_shared<const TickRecord>(std::move(record));
    this->commit(std::move(commit));
  }
  const auto numbers = [&](const TickQuery& query) {
    std::vector<std::int64_t> found;
    const auto rows = this->store().ticks(sample::town_id("a"), query);
    for (const TickRow& row : *rows) found.push_back(row.number);
    return found;
  };
  using Numbers = std::vector<std::int64_t>;
  TickQuery query;
  query.rule = "beads.assign";
  EXPECT_EQ(numbers(query), Numbers{3});
  query = {};
  query.bead_id = "a-104";
  EXPECT_EQ(numbers(query), Numbers{5}) << "it was made by a fact of this tick";
  query = {};
  query.agent_id = "a-9";
  EXPECT_EQ(numbers(query), Numbers{3}) << "a text in which somebody quotes it does not name it";
  query = {};
  query.violations = true;
  EXPECT_EQ(numbers(query), Numbers{4});
  query = {};
  query.from = sample::at(2);
  query.to = sample::at(4);
  EXPECT_EQ(numbers(query), (Numbers{2, 3, 4})) << "both ends are included";
  query.newest = true;
  query.limit = 2;
  EXPECT_EQ(numbers(query), (Numbers{3, 4}));
}

TYPED_TEST_P(StoreListings, PendingFactsAreThoseThatNoTickHasTaken) {
  this->commit(sample::founding("a"));
  TownCommit waiting;
  waiting.town_id = sample::town_id("a");
  waiting.events = {sample::event(2, events::TownPaused{"later"})};
  this->commit(waiting);
  auto pending = this->store().pending(sample::town_id("a"));
  ASSERT_TRUE(pending) << pending.error().what;
  ASSERT_EQ(pending->size(), 1u);
  EXPECT_EQ(pending->front().seq, 2);
  waiting.events.clear();
  waiting.processed = {{2, EventFate::deferred, "not now", {}}};
  this->commit(waiting);
  EXPECT_TRUE(this->store().pending(sample::town_id("a"))->empty()) << "it is tried again, which the town itself knows";
}

TYPED_TEST_P(StoreListings, EffectsAreFoundByTheirKeys) {
  this->commit(sample::founding("a"));
  this->commit(sample::work("a", 1));
  this->commit(sample::work("a", 2));
  TownCommit ended;
  ended.town_id = sample::town_id("a");
  ended.outcomes = {{{"start 1", effects::StartAgent{RunId("a-run")}}, EffectState::failed, 2, "no such program"}};
  this->commit(ended);
  const auto effects = this->store().effects(sample::town_id("a"), {"start 2", "start 9", "start 1"});
  ASSERT_TRUE(effects) << effects.error().what;
  ASSERT_EQ(effects->size(), 2u);
  EXPECT_EQ((*effects)[0].state, EffectState::pending);
  EXPECT_EQ((*effects)[1].state, EffectState::failed);
  EXPECT_EQ((*effects)[1].detail, "no such program");
}

REGISTER_TYPED_TEST_SUITE_P(StoreListings, RowsAreInTheOrderOfTheirIds, EventsAreShownWithWhatBecameOfThem,
                            EventsAreFoundByTypeBeadAgentTimeAndPlace, TicksAreListedAfterANumber,
                            TicksAreFoundByRuleBeadAgentViolationAndTime, PendingFactsAreThoseThatNoTickHasTaken,
                            EffectsAreFoundByTheirKeys);

}  // namespace townd
