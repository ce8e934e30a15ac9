#include <gtest/gtest.h>

#include <future>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "simulated_disk.hpp"
#include "store/sqlite_store.hpp"

namespace townd {
namespace {

constexpr int kTowns = 50;

std::string prefix(int town) { return "t" + std::to_string(town); }

/// Hands in one commit for each town while the writer is busy answering another, so that they wait together.
std::vector<expected<void>> commit_together(Store& store, std::vector<TownCommit> commits) {
  std::vector<expected<void>> answers;
  std::promise<void> last;
  TownCommit first;
  first.town_id = TownId("first");
  store.commit(std::move(first), [&](const expected<void>&) {
    const std::size_t count = commits.size();
    for (TownCommit& commit : commits)
      store.commit(std::move(commit), [&, count](const expected<void>& done) {
        answers.push_back(done);
        if (answers.size() == count) last.set_value();
      });
  });
  last.get_future().get();
  return answers;
}

std::vector<TownCommit> one_for_each_town() {
  std::vector<TownCommit> commits;
  for (int town = 0; town < kTowns; ++town) commits.push_back(sample::founding(prefix(town)));
  return commits;
}

TEST(GroupCommit, CommitsOfManyTownsThatWaitShareOneTransactionAndOneSync) {
  const ScratchFolder folder;
  const auto store = std::move(SqliteStore::open(folder.path()).value());
  ASSERT_TRUE(commit_and_wait(*store, sample::founding("a")));  // the first sync of a WAL also syncs its header
  const CommitCounters before = store->counters();
  for (const expected<void>& done : commit_together(*store, one_for_each_town())) EXPECT_TRUE(done);
  const CommitCounters after = store->counters();
  EXPECT_EQ(after.commits - before.commits, kTowns + 1);
  EXPECT_EQ(after.groups - before.groups, 2);
  EXPECT_LE(after.syncs - before.syncs, 2);
  EXPECT_GE(after.syncs - before.syncs, 1);
  EXPECT_EQ(store->towns()->size(), kTowns + 1u);
  for (int town = 0; town < kTowns; ++town) EXPECT_EQ(store->load(sample::town_id(prefix(town)))->next_seq, 2);
}

TEST(GroupCommit, AFailureIsAnsweredToAllOfTheGroupAndLeavesNothingOfAny) {
  const ScratchFolder folder;
  SimulatedDisk disk;
  const auto store = std::move(SqliteStore::open(folder.path(), {disk.name()}).value());
  ASSERT_TRUE(commit_and_wait(*store, sample::founding("a")));
  std::vector<TownCommit> commits = one_for_each_town();
  commits.push_back(sample::founding("a"));  // an event that is there already: a fault of the caller
  for (const expected<void>& done : commit_together(*store, std::move(commits))) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Error::Code::internal);
    EXPECT_NE(done.error().what.find("town_events"), std::string::npos) << done.error().what;
  }
  EXPECT_EQ(*store->towns(), std::vector<TownId>{sample::town_id("a")});
  for (const expected<void>& done : commit_together(*store, one_for_each_town())) EXPECT_TRUE(done);
}

TEST(GroupCommit, WhatWasHandedInIsAnsweredBeforeTheStoreIsGone) {
  const ScratchFolder folder;
  int answered = 0;
  {
    const auto store = std::move(SqliteStore::open(folder.path()).value());
    for (TownCommit& commit : one_for_each_town())
      store->commit(std::move(commit), [&](const expected<void>& done) { answered += done ? 1 : 0; });
  }
  EXPECT_EQ(answered, kTowns);
  EXPECT_EQ(std::move(SqliteStore::open(folder.path()).value())->towns()->size(), static_cast<std::size_t>(kTowns));
}

TEST(GroupCommit, ACleanCloseLeavesOneFileWithoutAWal) {
  const ScratchFolder folder;
  {
    const auto store = std::move(SqliteStore::open(folder.path()).value());
    ASSERT_TRUE(commit_and_wait(*store, sample::founding("a")));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "townd.db-wal"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "townd.db-wal"));
}

TEST(GroupCommit, TheWalIsMovedIntoTheFileAsItGrows) {
  const ScratchFolder folder;
  const auto store = std::move(SqliteStore::open(folder.path(), {"", 50}).value());
  ASSERT_TRUE(commit_and_wait(*store, sample::founding("a")));
  for (std::int64_t n = 1; n <= 100; ++n) ASSERT_TRUE(commit_and_wait(*store, sample::work("a", n)));
  EXPECT_LT(std::filesystem::file_size(folder.path() / "townd.db-wal"), 120u * 4096u);
  EXPECT_GT(std::filesystem::file_size(folder.path() / "townd.db"), 50u * 4096u);
  EXPECT_EQ(store->counters().failed_moves, 0);
}

}  // namespace
}  // namespace townd
