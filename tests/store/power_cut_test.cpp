#include <gtest/gtest.h>

#include <algorithm>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "scripted_history.hpp"
#include "simulated_disk.hpp"
#include "store/sqlite_store.hpp"

/// Whatever the disk does and whenever: all that was answered is there afterwards, and nothing is there by half.
namespace townd {
namespace {

constexpr int kRounds = 4;

class PowerCut : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open(*made_)); }

  /// A disk with a store that was made and closed before, and has nothing in it.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> made() const { return made_->copy(); }

  /// The WAL is moved into the file every few commits, so that this is cut off too.
  [[nodiscard]] expected<std::unique_ptr<SqliteStore>> open(const SimulatedDisk& disk) const {
    return SqliteStore::open(folder_.path(), {disk.name(), 24});
  }

  /// The life of a store: opened, used, closed, opened again, used. Answers what was acknowledged.
  Progress live(const SimulatedDisk& disk) const {
    Progress acknowledged;
    for (int life = 0; life < 2 && disk.has_power(); ++life) {
      const auto store = open(disk);
      if (!store) break;
      // What an opened store shows is as good as answered: the engine acts on it.
      if (life > 0) acknowledged = found_in(**store);
      acknowledged = play(**store, acknowledged, kRounds / 2).acknowledged;
    }
    return acknowledged;
  }

  /// Everything acknowledged is in what the disk holds now, whole, and the store can go on.
  void expect_whole(const SimulatedDisk& disk, const Progress& acknowledged) const {
    const auto store = open(disk);
    ASSERT_TRUE(store) << store.error().what;
    const Progress found = found_in(**store);
    const std::vector<Progress> possible = milestones(kRounds);
    EXPECT_NE(std::find(possible.begin(), possible.end(), found), possible.end())
        << "half a transaction: " << found.a << ", " << found.b;
    EXPECT_GE(found.a, acknowledged.a);
    EXPECT_GE(found.b, acknowledged.b);
    EXPECT_TRUE((*store)->check());
    EXPECT_EQ(play(**store, found, 1).failure, "");
  }

  ScratchFolder folder_;
  std::unique_ptr<SimulatedDisk> made_ = std::make_unique<SimulatedDisk>();
};

using Survivors = SimulatedDisk::Survivors;

TEST_F(PowerCut, NothingAcknowledgedIsLostWhereverThePowerGoes) {
  const auto whole = made();
  ASSERT_EQ(live(*whole), milestones(kRounds).back());
  ASSERT_GT(whole->steps(), 150);
  for (std::int64_t step = 0; step <= whole->steps() && !HasFailure(); ++step) {
    SCOPED_TRACE("power cut at step " + std::to_string(step));
    const auto disk = made();
    disk->cut_power_at(step);
    const Progress acknowledged = live(*disk);
    expect_whole(*disk->after_power_cut(Survivors::synced, 0), acknowledged);
    expect_whole(*disk->after_power_cut(Survivors::some, static_cast<std::uint64_t>(step)), acknowledged);
  }
}

TEST_F(PowerCut, AStoreThatWasBeingMadeWhenThePowerWentIsMadeTheNextTime) {
  for (std::int64_t step = 0; step <= made_->steps() && !HasFailure(); ++step) {
    SCOPED_TRACE("power cut at step " + std::to_string(step));
    SimulatedDisk disk;
    disk.cut_power_at(step);
    const bool opened = open(disk).has_value();
    EXPECT_TRUE(opened || !disk.has_power());
    const auto after = disk.after_power_cut(Survivors::some, static_cast<std::uint64_t>(step));
    const auto store = open(*after);
    ASSERT_TRUE(store) << store.error().what;
    EXPECT_EQ(found_in(**store), Progress{});
    EXPECT_EQ(play(**store, {}, 1).failure, "");
  }
}

TEST_F(PowerCut, ACrashOfTheProcessAloneLosesNothingEither) {
  const auto whole = made();
  live(*whole);
  for (std::int64_t step = 0; step <= whole->steps() && !HasFailure(); step += 3) {
    SCOPED_TRACE("crash at step " + std::to_string(step));
    const auto disk = made();
    disk->cut_power_at(step);
    const Progress acknowledged = live(*disk);
    expect_whole(*disk->after_power_cut(Survivors::everything, 0), acknowledged);
  }
}

TEST_F(PowerCut, AStepThatFailsOnceIsAnErrorThatLosesNothing) {
  const auto whole = made();
  live(*whole);
  int refused = 0;
  for (std::int64_t step = 0; step <= whole->steps() && !HasFailure(); ++step) {
    SCOPED_TRACE("failure at step " + std::to_string(step));
    const auto disk = made();
    disk->fail_at(step, SQLITE_IOERR);
    const Progress acknowledged = live(*disk);
    if (acknowledged != milestones(kRounds).back()) ++refused;
    expect_whole(*disk->after_power_cut(Survivors::synced, 0), acknowledged);
  }
  EXPECT_GT(refused, 50) << "the failures were meant to be felt";
}

/// Between two commits a snapshot is made; whenever the power goes meanwhile, the commits are there, and a snapshot
/// that can be used: the one before, or the new one.
TEST_F(PowerCut, ASnapshotThatIsCutOffLosesNothing) {
  const TownId town = sample::town_id("a");
  const auto live_with_snapshots = [&](const SimulatedDisk& disk) {
    std::int64_t acknowledged = 0;  // ticks
    const auto store = open(disk);
    if (!store) return acknowledged;
    TownImage image;
    for (std::int64_t n = 0; n <= 2; ++n) {
      TownCommit commit = n == 0 ? sample::founding("a") : sample::work("a", n);
      if (!commit_and_wait(**store, sample::truthful(std::move(commit), image))) break;
      acknowledged = n + 1;
      (*store)->keep_snapshot(town);
    }
    return acknowledged;
  };
  const auto whole = made();
  ASSERT_EQ(live_with_snapshots(*whole), 3);
  int with_older = 0;
  for (std::int64_t step = 0; step <= whole->steps() && !HasFailure(); ++step) {
    SCOPED_TRACE("power cut at step " + std::to_string(step));
    const auto disk = made();
    disk->cut_power_at(step);
    const std::int64_t acknowledged = live_with_snapshots(*disk);
    for (const Survivors survivors : {Survivors::synced, Survivors::some}) {
      const auto after = disk->after_power_cut(survivors, static_cast<std::uint64_t>(step));
      const auto store = open(*after);
      ASSERT_TRUE(store) << store.error().what;
      if (acknowledged == 0) continue;
      const auto loaded = (*store)->load(town);
      ASSERT_TRUE(loaded) << loaded.error().what;
      EXPECT_GE(loaded->next_tick - 1, acknowledged);
      const auto kept = (*store)->snapshot(town, kNever);
      if (acknowledged < 2) continue;  // before the first one there may be none
      ASSERT_TRUE(kept) << kept.error().what;
      EXPECT_TRUE(kept->unusable.empty()) << kept->unusable.front();
      EXPECT_GE(kept->tick, acknowledged - 1);
      with_older += kept->tick < loaded->next_tick - 1;
    }
  }
  EXPECT_GT(with_older, 5) << "the power was meant to go in the middle of a snapshot";
}

TEST_F(PowerCut, OnADiskThatOnlyPretendsToSyncTheseTestsWouldFail) {
  const auto disk = made();
  disk->pretend_to_sync();
  const Progress acknowledged = live(*disk);
  ASSERT_EQ(acknowledged, milestones(kRounds).back());
  const auto after = disk->after_power_cut(Survivors::synced, 0);
  const auto store = open(*after);
  EXPECT_TRUE(!store || found_in(**store) != acknowledged);
}

}  // namespace
}  // namespace townd
