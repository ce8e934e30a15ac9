#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "contract/store_contract.hpp"
#include "scratch_folder.hpp"
#include "store/sqlite_store.hpp"

/// What cannot be used is refused in a sentence that says what to do, and stays as it was.
namespace townd {
namespace {

std::string sentence(const expected<std::unique_ptr<SqliteStore>>& opened) {
  if (opened) return "(it was opened)";
  return opened.error().what + " | " + opened.error().hint;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Runs a script on a file that no store has open.
void with_sqlite(const std::filesystem::path& file, const char* script) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, script, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Refusal, AFolderInUseNamesTheProcessThatUsesIt) {
  const ScratchFolder folder;
  const auto first = SqliteStore::open(folder.path());
  ASSERT_TRUE(first);
  const auto second = SqliteStore::open(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Error::Code::conflict);
  EXPECT_TRUE(says(sentence(second), "is in use by process " + std::to_string(::getpid()))) << sentence(second);
  EXPECT_TRUE(says(sentence(second), "--data")) << sentence(second);
}

TEST(Refusal, AFolderIsFreeAgainOnceItsStoreIsClosed) {
  const ScratchFolder folder;
  ASSERT_TRUE(SqliteStore::open(folder.path()));
  EXPECT_TRUE(SqliteStore::open(folder.path()));
}

TEST(Refusal, AFileOfANewerTowndIsLeftAsItIs) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "townd.db";
  ASSERT_TRUE(SqliteStore::open(folder.path()));
  with_sqlite(file, "PRAGMA user_version = 4711");
  const std::string before = content(file);
  const auto opened = SqliteStore::open(folder.path());
  EXPECT_TRUE(says(sentence(opened), "was written by a newer townd (format 4711")) << sentence(opened);
  EXPECT_EQ(content(file), before);
}

TEST(Refusal, SomebodyElsesDatabaseIsLeftAsItIs) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "townd.db";
  with_sqlite(file, "CREATE TABLE recipes (name TEXT)");
  const std::string before = content(file);
  const auto opened = SqliteStore::open(folder.path());
  EXPECT_TRUE(says(sentence(opened), "not one of townd's")) << sentence(opened);
  EXPECT_EQ(content(file), before);
}

TEST(Refusal, AFileThatIsNoDatabaseIsLeftAsItIs) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "townd.db";
  std::ofstream(file) << std::string(8192, 'x');
  const auto opened = SqliteStore::open(folder.path());
  EXPECT_TRUE(says(sentence(opened), "no SQLite database, or its first page is damaged")) << sentence(opened);
  EXPECT_EQ(content(file), std::string(8192, 'x'));
}

TEST(Refusal, AFolderThatCannotBeWrittenToSaysSo) {
  // Nobody, not even root, can make a file here.
  const auto existing = SqliteStore::open("/sys/kernel");
  EXPECT_TRUE(says(sentence(existing), "The data folder /sys/kernel cannot be written to")) << sentence(existing);
  const auto made = SqliteStore::open("/sys/kernel/townd");
  EXPECT_TRUE(says(sentence(made), "Give townd's user write access")) << sentence(made);
}

TEST(Refusal, AFileInThePlaceOfTheFolderSaysSo) {
  const ScratchFolder folder;
  std::ofstream(folder.path() / "data") << "not a folder";
  const auto opened = SqliteStore::open(folder.path() / "data");
  EXPECT_TRUE(says(sentence(opened), "cannot be written to")) << sentence(opened);
}

TEST(Refusal, AnotherProgramsLockIsNamedAndNothingIsLost) {
  const ScratchFolder folder;
  auto store = std::move(SqliteStore::open(folder.path()).value());
  ASSERT_TRUE(commit_and_wait(*store, sample::founding("a")));
  sqlite3* shell = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path() / "townd.db").c_str(), &shell), SQLITE_OK);
  sqlite3_db_config(shell, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ASSERT_EQ(sqlite3_exec(shell, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto refused = commit_and_wait(*store, sample::work("a", 1));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(says(refused.error().what, "another program holds a lock")) << refused.error().what;
  sqlite3_close(shell);
  EXPECT_TRUE(commit_and_wait(*store, sample::work("a", 1)));
  EXPECT_EQ(store->load(sample::town_id("a"))->next_seq, 3);
}

TEST(Refusal, TheFolderAndTheFileAreForTheirOwnerOnly) {
  const ScratchFolder parent;
  const std::filesystem::path folder = parent.path() / "data" / "townd";
  ASSERT_TRUE(SqliteStore::open(folder));
  struct stat found {};
  ASSERT_EQ(::stat(folder.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0700u);
  ASSERT_EQ(::stat((folder / "townd.db").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0600u);
}

}  // namespace
}  // namespace townd
