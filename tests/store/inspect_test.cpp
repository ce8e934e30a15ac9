#include "store/inspect.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite_store.hpp"

/// A store that is looked at while no daemon runs.
namespace townd {
namespace {

TEST(Inspect, ShowsTheTownsOfAStoreThatNobodyHasOpenAndWritesNothing) {
  const ScratchFolder folder;
  EXPECT_EQ(inspect_store(folder.path()).error().code, Error::Code::not_found);
  {
    const auto store = SqliteStore::open(folder.path());
    ASSERT_TRUE(store);
    ASSERT_TRUE(commit_and_wait(**store, sample::founding("a")));
    EXPECT_EQ(inspect_store(folder.path()).error().code, Error::Code::conflict) << "a daemon has it";
  }
  const auto file = folder.path() / SqliteStore::kFileName;
  const auto written = std::filesystem::last_write_time(file);
  const auto images = inspect_store(folder.path());
  ASSERT_TRUE(images) << images.error().what;
  ASSERT_EQ(images->size(), 1u);
  EXPECT_EQ(images->front().town.town_id, sample::town_id("a"));
  EXPECT_EQ(std::filesystem::last_write_time(file), written);
}

TEST(Inspect, NamesADamagedPage) {
  const ScratchFolder folder;
  {
    const auto store = SqliteStore::open(folder.path());
    ASSERT_TRUE(store);
    ASSERT_TRUE(commit_and_wait(**store, sample::founding("a")));
  }
  const auto file = folder.path() / SqliteStore::kFileName;
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uintmax_t page = 2; page < std::filesystem::file_size(file) / 4096; ++page) {
    bytes.seekp(static_cast<std::streamoff>(page * 4096));
    bytes << std::string(64, '\xff');
  }
  bytes.close();
  const auto images = inspect_store(folder.path());
  ASSERT_FALSE(images);
  EXPECT_EQ(images.error().code, Error::Code::internal);
  EXPECT_NE(images.error().what.find("damaged"), std::string::npos) << images.error().what;
}

}  // namespace
}  // namespace townd
