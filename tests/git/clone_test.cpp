#include "git/clone.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "git/fetch.hpp"
#include "git_fixture.hpp"

namespace townd::git {
namespace {

namespace fs = std::filesystem;

class CloneTest : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    make_repository("source");
    sh("git clone -q --bare source bare.git");
    fs::create_directories(path("clones"));
  }
  CloneSpec spec(const std::string& run) const {
    return {path("bare.git"),
            path("clones/" + run),
            "gt/toast/t-1",
            "refs/heads/main",
            "main",
            agent_identity_name("Toast"),
            agent_identity_email("Toast")};
  }
  expected<void> fetch_work(const std::string& run, bool sandboxed = true) const {
    return fetch_from_clone(Repository::bare(program(), path("bare.git")), path("clones/" + run),
                            {"+HEAD:refs/town/" + run}, sandboxed && sandbox_works());
  }
};

TEST_F(CloneTest, IsNotReadWhenItHoldsPipesLinksOrGiantsForGit) {
  const std::vector<std::string> planted = {"mkfifo clones/r1/.git/refs/heads/x",
                                            "truncate -s 1G clones/r1/.git/refs/heads/x",
                                            "ln -s /etc/passwd clones/r1/.git/refs/x",
                                            "rm -f clones/r1/.git/packed-refs; mkfifo clones/r1/.git/packed-refs",
                                            "mkdir clones/r1/.git/objects/00; mkfifo clones/r1/.git/objects/00/0",
                                            "truncate -s 1T clones/r1/.git/HEAD",
                                            "rm -r clones/r1/.git/refs; ln -s /tmp clones/r1/.git/refs"};
  for (const std::string& plant : planted) {
    ASSERT_TRUE(clone_shared(program(), spec("r1"))) << plant;
    sh(plant);
    const auto fetched = fetch_work("r1");
    ASSERT_FALSE(fetched) << plant;
    EXPECT_NE(fetched.error().what.find("is not read"), std::string::npos) << fetched.error().what;
    sh("rm -rf clones/r1");
  }
}

TEST_F(CloneTest, HasTheBranchTheFilesTheIdentityAndNoRemote) {
  const auto commit = clone_shared(program(), spec("r1"));
  ASSERT_TRUE(commit) << commit.error().what;
  EXPECT_EQ(*commit, sh("git -C source rev-parse HEAD"));
  EXPECT_EQ(read(path("clones/r1/a.txt")), "one\n");
  EXPECT_EQ(sh("git -C clones/r1 branch --show-current"), "gt/toast/t-1");
  EXPECT_EQ(sh("git -C clones/r1 rev-parse origin/main"), *commit);
  EXPECT_EQ(sh("git -C clones/r1 remote"), "");
  EXPECT_EQ(sh("git -C clones/r1 status --porcelain"), "");
  EXPECT_EQ(sh("git -C clones/r1 config user.name"), "Toast (townd)");
  EXPECT_EQ(sh("git -C clones/r1 config user.email"), "toast@townd.local");
  EXPECT_FALSE(fs::exists(path("clones/r1/.git/hooks")));
}

TEST_F(CloneTest, IsDetachedWithoutABranch) {
  CloneSpec detached = spec("r1");
  detached.branch.clear();
  const auto commit = clone_shared(program(), detached);
  ASSERT_TRUE(commit) << commit.error().what;
  EXPECT_EQ(sh("git -C clones/r1 rev-parse HEAD"), *commit);
  EXPECT_EQ(sh("git -C clones/r1 branch --show-current"), "");
  EXPECT_EQ(read(path("clones/r1/a.txt")), "one\n");
}

TEST_F(CloneTest, StaysAsItIsWhenMadeAgainAndReplacesAHalfMadeOne) {
  fs::create_directories(path("clones/r1.partial/.git"));
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  EXPECT_FALSE(fs::exists(path("clones/r1.partial")));
  sh("cd clones/r1 && echo two > a.txt && git commit -q -am two");
  const auto again = clone_shared(program(), spec("r1"));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(*again, sh("git -C clones/r1 rev-parse HEAD"));
}

TEST_F(CloneTest, RefusesABranchNameThatIsNone) {
  CloneSpec hostile = spec("r1");
  hostile.branch = "--template=/evil";
  EXPECT_EQ(clone_shared(program(), hostile).error().code, Error::Code::invalid);
  hostile = spec("r1");
  hostile.start = "refs/heads/gone";
  EXPECT_EQ(clone_shared(program(), hostile).error().code, Error::Code::not_found);
  EXPECT_FALSE(fs::exists(path("clones/r1")));
}

TEST_F(CloneTest, GivesItsWorkAlsoWhenHooksAndConfigArePlanted) {
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  sh("cd clones/r1 && echo two > a.txt && git commit -q -am two");
  plant(path("clones/r1/.git"));
  for (const bool sandboxed : {true, false}) {
    const auto fetched = fetch_work("r1", sandboxed);
    ASSERT_TRUE(fetched) << fetched.error().what;
  }
  EXPECT_EQ(sh("git -C bare.git log -1 --format=%s refs/town/r1"), "two");
}

TEST_F(CloneTest, CannotMakeUsFetchWhatItLacksByAProgramOfItsOwn) {
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  // A partial clone that lacks a file, with a "promisor" that is a program.
  sh("cd clones/r1 && echo two > a.txt && git commit -q -am two && rm -f .git/objects/$(git rev-parse HEAD:a.txt | "
     "sed 's|^..|&/|')");
  std::ofstream(path("clones/r1/.git/config"), std::ios::app)
      << "[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\tpromisor = true\n\turl = " << path("source")
      << "\n\tuploadpack = " << trap("promisor") << "\n";
  for (const bool sandboxed : {true, false}) EXPECT_FALSE(fetch_work("r1", sandboxed));
}

TEST_F(CloneTest, CannotLendObjectsOfAnotherRepository) {
  if (!sandbox_works()) GTEST_SKIP() << "bubblewrap does not work here";
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  make_repository("secret");
  sh("cd secret && echo s3cret > key && git add . && git commit -q -m secret");
  const std::string secret = sh("git -C secret rev-parse HEAD");
  write(path("clones/r1/.git/objects/info/alternates"),
        path("secret/.git/objects") + "\n" + path("bare.git/objects") + "\n");
  write(path("clones/r1/.git/refs/heads/gt/toast/t-1"), secret + "\n");
  EXPECT_FALSE(fetch_work("r1"));
  EXPECT_FALSE(*Repository::bare(program(), path("bare.git")).commit_of(secret));
}

TEST_F(CloneTest, CannotLeadUsElsewhereByALinkOrAGitFile) {
  make_repository("secret");
  for (const bool link : {true, false}) {
    ASSERT_TRUE(clone_shared(program(), spec("r1")));
    fs::remove_all(path("clones/r1/.git"));
    if (link) {
      fs::create_symlink(path("secret/.git"), path("clones/r1/.git"));
    } else {
      write(path("clones/r1/.git"), "gitdir: " + path("secret/.git") + "\n");
    }
    for (const bool sandboxed : {true, false}) {
      EXPECT_EQ(fetch_work("r1", sandboxed).error().code, Error::Code::conflict);
    }
    ASSERT_TRUE(remove_folder(path("clones/r1")));
  }
  EXPECT_TRUE(fs::exists(path("secret/.git/HEAD")));
}

TEST_F(CloneTest, IsRemovedWithUnwritableFoldersAndWithoutFollowingLinks) {
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  sh("mkdir -p keep clones/r1/cache/deep && touch keep/me clones/r1/cache/deep/file && ln -s ../../keep "
     "clones/r1/link && chmod 0500 clones/r1/cache/deep && chmod 0 clones/r1/cache");
  const auto removed = remove_folder(path("clones/r1"));
  ASSERT_TRUE(removed) << removed.error().what;
  EXPECT_FALSE(fs::exists(path("clones/r1")));
  EXPECT_TRUE(fs::exists(path("keep/me")));
  EXPECT_TRUE(remove_folder(path("clones/r1")));
}

TEST_F(CloneTest, WithMalformedObjectsIsNotFetched) {
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  // A tree with an entry called .git, which a checkout would follow.
  sh("cd clones/r1 && blob=$(echo x | git hash-object -w --stdin) && "
     "perl -e 'print \"100644 .git\\0\", pack(\"H*\", shift)' $blob > t && "
     "tree=$(git hash-object -t tree -w --literally t) && "
     "git update-ref HEAD $(git commit-tree -p HEAD -m bad $tree)");
  const auto fetched = fetch_work("r1");
  ASSERT_FALSE(fetched);
  EXPECT_NE(fetched.error().what.find("hasDotgit"), std::string::npos) << fetched.error().what;
}

TEST_F(CloneTest, WouldSpringTheTrapsUnderAPlainGit) {
  sh("HOME=" + path("home") + " && unset GIT_CONFIG_GLOBAL && cd source && git switch -q -c other");
  EXPECT_NE(read(path("sprung")).find("home-post-checkout"), std::string::npos);
  fs::remove(path("sprung"));
  ASSERT_TRUE(clone_shared(program(), spec("r1")));
  plant(path("clones/r1/.git"));
  sh("cd clones/r1 && git switch -q -c other");
  EXPECT_NE(read(path("sprung")).find("planted-post-checkout"), std::string::npos);
  fs::remove(path("sprung"));
}

TEST_F(CloneTest, BelongingToARepositoryIsAskedForAncestryAndSwapped) {
  const Repository bare = Repository::bare(program(), path("bare.git"));
  const std::string one = sh("git -C bare.git rev-parse main");
  sh("cd source && echo two > a.txt && git commit -q -am two && git push -q ../bare.git HEAD:refs/town/r9");
  const std::string two = sh("git -C source rev-parse HEAD");
  EXPECT_TRUE(*bare.is_ancestor(one, two));
  EXPECT_FALSE(*bare.is_ancestor(two, one));
  EXPECT_FALSE(bare.is_ancestor(one, std::string(40, '1')));
  EXPECT_EQ(**bare.head(), one);
  EXPECT_FALSE(*bare.commit_of("refs/heads/none"));
  EXPECT_FALSE(*bare.commit_of(std::string(40, '1')));
  EXPECT_FALSE(*bare.compare_and_swap("refs/heads/main", two, two));
  EXPECT_TRUE(*bare.compare_and_swap("refs/heads/main", two, one));
  EXPECT_FALSE(*bare.compare_and_swap("refs/heads/main", one, ""));
  EXPECT_TRUE(*bare.compare_and_swap("refs/heads/new", one, ""));
}

}  // namespace
}  // namespace townd::git
