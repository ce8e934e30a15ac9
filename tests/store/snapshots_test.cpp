#include <gtest/gtest.h>

#include "codec/time_text.hpp"
#include "contract/store_contract.hpp"
#include "core/image.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"

namespace townd {
namespace {

/// A town whose ticks have their true digests, and a snapshot after each of the first three.
class Snapshots : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    for (std::int64_t n = 0; n <= 2; ++n) {
      commit(n);
      const auto made = store_->keep_snapshot(town_);
      ASSERT_TRUE(made) << made.error().what;
      made_.push_back(*made);
    }
  }
  void open() { store_ = std::move(SqliteStore::open(folder_.path()).value()); }
  void commit(std::int64_t n) {
    TownCommit next = sample::truthful(n == 0 ? sample::founding("a") : sample::work("a", n), image_);
    ASSERT_TRUE(commit_and_wait(*store_, std::move(next)));
  }
  /// Alters the file while no daemon has it.
  void alter(const std::string& script) {
    store_.reset();
    {
      auto db =
          sqlite::Connection::open((folder_.path() / "townd.db").string(), sqlite::Connection::Mode::read_write, "");
      ASSERT_TRUE(db);
      ASSERT_TRUE((*db)->execute(script));
    }
    open();
  }

  ScratchFolder folder_;
  const TownId town_ = sample::town_id("a");
  std::unique_ptr<SqliteStore> store_;
  TownImage image_;
  std::vector<SnapshotMade> made_;
};

TEST_F(Snapshots, ADamagedOneIsPassedOverAndNamed) {
  alter("UPDATE snapshots SET image = substr(image, 1, length(image) / 2) WHERE tick = 3");
  const auto kept = store_->snapshot(town_, kNever);
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(kept->tick, 2);
  ASSERT_EQ(kept->unusable.size(), 1u);
  EXPECT_NE(kept->unusable[0].find("tick 3"), std::string::npos) << kept->unusable[0];
}

TEST_F(Snapshots, OneThatIsAnotherTownIsPassedOver) {
  alter("UPDATE snapshots SET image = (SELECT image FROM snapshots WHERE tick = 1) WHERE tick IN (2, 3)");
  const auto kept = store_->snapshot(town_, kNever);
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(kept->tick, 1);
  EXPECT_EQ(kept->unusable.size(), 2u);
}

TEST_F(Snapshots, OneOfANewerTowndIsPassedOver) {
  alter("UPDATE snapshots SET format = 99 WHERE tick = 3");
  const auto kept = store_->snapshot(town_, kNever);
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(kept->tick, 2);
  EXPECT_NE(kept->unusable.at(0).find("newer"), std::string::npos);
}

TEST_F(Snapshots, WithoutAUsableOneTheErrorSaysWhy) {
  alter("UPDATE snapshots SET image = x'00'");
  const auto none = store_->snapshot(town_, kNever);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Error::Code::not_found);
  EXPECT_NE(none.error().hint.find("tick 1"), std::string::npos) << none.error().hint;
}

/// Whoever goes back to a moment asks for a snapshot before it.
TEST_F(Snapshots, BeforeTheFirstOneTheEarliestMomentIsSaid) {
  const auto none = store_->snapshot(town_, made_[0].at - Duration{1});
  ASSERT_FALSE(none);
  const Instant earliest = made_[0].at + Duration{1};
  EXPECT_NE(none.error().hint.find("is " + to_text(earliest)), std::string::npos) << none.error().hint;
  EXPECT_TRUE(store_->snapshot(town_, earliest - Duration{1}));
}

TEST_F(Snapshots, RowsThatAreNotThoseOfTheLastTickMakeNone) {
  alter("UPDATE beads SET row = replace(row, 'open', 'failed')");
  commit(3);
  EXPECT_FALSE(store_->keep_snapshot(town_));
  EXPECT_EQ(store_->snapshot(town_, kNever)->tick, 3);
}

TEST_F(Snapshots, OldOnesGoButTheLast) {
  EXPECT_GT(*store_->prune(kNever), 0);
  EXPECT_EQ(store_->snapshot(town_, kNever)->tick, 3);
  EXPECT_FALSE(store_->snapshot(town_, made_[1].at));
}

}  // namespace
}  // namespace townd
