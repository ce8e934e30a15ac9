#include <gtest/gtest.h>

#include <random>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "simulated_disk.hpp"
#include "store/sqlite_store.hpp"

/// A disk that is full or that gives back other bytes than it was given.
namespace townd {
namespace {

constexpr std::size_t kPage = 4096;

class Damage : public ::testing::Test {
 protected:
  [[nodiscard]] auto open(const SimulatedDisk& disk) const { return SqliteStore::open(folder_.path(), {disk.name()}); }
  [[nodiscard]] std::string file() const { return (folder_.path() / "townd.db").string(); }

  /// A town of some hundred pages, closed.
  void fill(const SimulatedDisk& disk) const {
    const auto store = open(disk);
    ASSERT_TRUE(store);
    TownCommit founding = sample::founding("a");
    for (std::int64_t n = 2; n <= 60; ++n) {
      Bead bead = sample::bead("a", n);
      bead.title = std::string(400, 'x');
      founding.rows.push_back(sample::put(bead));
    }
    const std::string text(20'000, 'y');
    founding.texts = {{siphash128(text), text}};
    ASSERT_TRUE(commit_and_wait(**store, founding));
    for (std::int64_t n = 1; n <= 5; ++n) ASSERT_TRUE(commit_and_wait(**store, sample::work("a", n)));
  }

  ScratchFolder folder_;
};

/// Opens, loads and writes; gives the first refusal, or nothing when all of it went well.
std::optional<Error> use(const expected<std::unique_ptr<SqliteStore>>& store, const std::vector<std::string>& lines) {
  if (!store) return store.error();
  const auto loaded = (*store)->load(sample::town_id("a"));
  if (!loaded) return loaded.error();
  EXPECT_EQ(sample::lines(loaded->image), lines) << "a damaged town was taken for a whole one";
  const auto written = commit_and_wait(**store, sample::work("a", 6));
  if (!written) return written.error();
  return std::nullopt;
}

TEST_F(Damage, ADamagedPageIsRefusedOrHarmlessButNeverBelieved) {
  SimulatedDisk whole;
  fill(whole);
  const std::vector<std::string> lines = sample::lines((*open(whole))->load(sample::town_id("a"))->image);
  const std::size_t pages = whole.bytes(file()).size() / kPage;
  ASSERT_GT(pages, 40u);
  std::mt19937_64 random(20'261'122);
  int refused = 0;
  for (std::size_t page = 0; page < 2 * pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page / 2) + (page % 2 ? " zeroed" : " overwritten"));
    const auto disk = whole.copy();
    std::string& bytes = disk->bytes(file());
    for (std::size_t i = 0; i < kPage; ++i) bytes[page / 2 * kPage + i] = page % 2 ? '\0' : static_cast<char>(random());
    const std::optional<Error> error = use(open(*disk), lines);
    if (!error) continue;
    ++refused;
    const std::string text = error->what + " | " + error->hint;
    EXPECT_NE(text.find("damaged"), std::string::npos) << text;
    EXPECT_NE(text.find("backup"), std::string::npos) << text;
  }
  EXPECT_GT(refused, static_cast<int>(pages)) << "most pages matter";
}

TEST_F(Damage, TheCheckFindsDamageInWhatIsSeldomRead) {
  SimulatedDisk disk;
  fill(disk);
  {
    const auto store = open(disk);
    EXPECT_TRUE((*store)->check());
  }
  std::string& bytes = disk.bytes(file());
  bool found = false;
  for (std::size_t page = 1; page < bytes.size() / kPage && !found; ++page) {
    const auto damaged = disk.copy();
    damaged->bytes(file()).replace(page * kPage, kPage, std::string(kPage, '\0'));
    const auto store = open(*damaged);
    if (!store || !(*store)->load(sample::town_id("a"))) continue;
    const auto checked = (*store)->check();
    found = !checked && checked.error().what.find("is damaged") != std::string::npos;
  }
  EXPECT_TRUE(found);
}

TEST_F(Damage, ARowThatIsNoJsonIsNamedWithItsTable) {
  SimulatedDisk disk;
  fill(disk);
  std::string& bytes = disk.bytes(file());
  const std::size_t place = bytes.find(R"("nudge_id":)");
  ASSERT_NE(place, std::string::npos);
  bytes[place] = '[';
  const std::optional<Error> error = use(open(disk), {});
  ASSERT_TRUE(error);
  EXPECT_NE(error->what.find("table nudges is damaged"), std::string::npos) << error->what;
}

TEST_F(Damage, AFullDiskRefusesCommitsUntilThereIsSpaceAndLosesNothing) {
  SimulatedDisk disk;
  fill(disk);
  const auto store = open(disk);
  ASSERT_TRUE(store);
  disk.hold_at_most(disk.bytes_used() + 40'000);
  std::int64_t done = 5;
  expected<void> answer;
  while ((answer = commit_and_wait(**store, sample::work("a", done + 1))) && done < 1000) ++done;
  ASSERT_FALSE(answer) << "the disk was meant to fill up";
  EXPECT_EQ(answer.error().code, Error::Code::unavailable);
  EXPECT_NE(answer.error().what.find("is full"), std::string::npos) << answer.error().what;
  EXPECT_NE(answer.error().hint.find("Free some space"), std::string::npos) << answer.error().hint;
  EXPECT_EQ((*store)->load(sample::town_id("a"))->next_seq, done + 2) << "the refused commit left nothing";
  disk.hold_at_most(1 << 30);
  EXPECT_TRUE(commit_and_wait(**store, sample::work("a", done + 1)));
  EXPECT_EQ((*store)->load(sample::town_id("a"))->next_seq, done + 3);
}

TEST_F(Damage, ADiskThatIsFullFromTheStartIsRefusedAndCanBeUsedLater) {
  SimulatedDisk disk;
  disk.hold_at_most(10'000);
  const auto refused = open(disk);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("is full"), std::string::npos) << refused.error().what;
  disk.hold_at_most(1 << 30);
  const auto store = open(disk);
  ASSERT_TRUE(store) << store.error().what;
  EXPECT_TRUE(commit_and_wait(**store, sample::founding("a")));
}

}  // namespace
}  // namespace townd
