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
  const auto ticks = this->store().ticks(sample::town_id("a"), 1, 2);
  ASSERT_TRUE(ticks);
  ASSERT_EQ(ticks->size(), 2u);
  EXPECT_EQ((*ticks)[0].number, 2);
  EXPECT_EQ((*ticks)[1].number, 3);
  EXPECT_EQ((*ticks)[1].at, sample::at(3));
  EXPECT_NE((*ticks)[1].record.find(sample::tick(3).digest.hex()), std::string::npos);
}

REGISTER_TYPED_TEST_SUITE_P(StoreListings, RowsAreInTheOrderOfTheirIds, EventsAreShownWithWhatBecameOfThem,
                            EventsAreFoundByTypeBeadAgentTimeAndPlace, TicksAreListedAfterANumber);

}  // namespace townd
