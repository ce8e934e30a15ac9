#pragma once

#include <memory>
#include <string>
#include <vector>

#include "contract/store_contract.hpp"
#include "core/image.hpp"

/// What every Store remembers, so that it can be run again.
namespace townd {

template <class Subject>
class StorePast : public StoreContract<Subject> {
 protected:
  /// Commits with the digest that the town has then, as a real tick does.
  void commit_truly(TownCommit commit) { this->commit(sample::truthful(std::move(commit), image_)); }
  TownImage image_;
};

TYPED_TEST_SUITE_P(StorePast);

TYPED_TEST_P(StorePast, ASnapshotIsTheTownAfterItsLastTick) {
  this->commit_truly(sample::founding("a"));
  const TownId town = sample::town_id("a");
  const auto made = this->store().keep_snapshot(town);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(made->tick, 1);
  this->commit_truly(sample::work("a", 1));
  this->restart();
  const LoadedTown loaded = this->load("a");
  EXPECT_EQ(loaded.snapshot_tick, 1);
  EXPECT_EQ(loaded.snapshot_at, made->at);
  const auto kept = this->store().snapshot(town, kNever);
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(kept->tick, 1);
  EXPECT_EQ(kept->at, made->at);
  EXPECT_TRUE(kept->unusable.empty());
  EXPECT_EQ(kept->image.beads.size() + 1, loaded.image.beads.size());
}

TYPED_TEST_P(StorePast, TheNewestSnapshotThatIsOldEnoughIsTaken) {
  const TownId town = sample::town_id("a");
  this->commit_truly(sample::founding("a"));
  std::vector<SnapshotMade> made;
  for (std::int64_t n = 1; n <= 3; ++n) {
    this->commit_truly(sample::work("a", n));
    const auto one = this->store().keep_snapshot(town);
    ASSERT_TRUE(one) << one.error().what;
    made.push_back(*one);
  }
  EXPECT_EQ(this->store().snapshot(town, made[1].at)->tick, made[1].tick);
  EXPECT_EQ(this->store().snapshot(town, made[2].at - Duration{1})->tick, made[1].tick);
  const auto none = this->store().snapshot(town, made[0].at - Duration{1});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Error::Code::not_found);
}

TYPED_TEST_P(StorePast, ATownWithoutATickHasNoSnapshot) {
  EXPECT_FALSE(this->store().keep_snapshot(TownId("nowhere")));
}

TYPED_TEST_P(StorePast, RecordedTicksComeWithTheFactsThatTheyWereGiven) {
  this->commit(sample::founding("a"));
  for (std::int64_t n = 1; n <= 3; ++n) this->commit(sample::work("a", n));
  const auto ticks = this->store().recorded(sample::town_id("a"), 1, 2);
  ASSERT_TRUE(ticks) << ticks.error().what;
  ASSERT_EQ(ticks->size(), 2u);
  for (const RecordedTick& tick : *ticks) {
    std::vector<std::int64_t> told, given;
    for (const EventOutcome& outcome : tick.record.events) told.push_back(outcome.seq);
    for (const Event& event : tick.events) given.push_back(event.seq);
    EXPECT_FALSE(given.empty());
    EXPECT_EQ(given, told);
  }
  EXPECT_EQ((*ticks)[1].record.number, 3);
}

REGISTER_TYPED_TEST_SUITE_P(StorePast, ASnapshotIsTheTownAfterItsLastTick, TheNewestSnapshotThatIsOldEnoughIsTaken,
                            ATownWithoutATickHasNoSnapshot, RecordedTicksComeWithTheFactsThatTheyWereGiven);

}  // namespace townd
