#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "forge_fixture.hpp"
#include "sim/fake_clock.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

class RigTest : public ForgeTest {
 protected:
  std::string broken(const std::string& git_url) {
    rig_.git_url = git_url;
    const auto found = forge_->prepare_rig(town_, rig_);
    EXPECT_TRUE(found) << found.error().what;
    EXPECT_FALSE(fs::exists(bare())) << "a rig that cannot be used must leave nothing";
    return found ? found->broken_reason : "";
  }
};

TEST_F(RigTest, IsMadeFromAFolderWithItsDefaultBranch) {
  sh("cd mine && git switch -q -c topic && echo x > x && git add . && git commit -q -m x");
  const auto found = forge_->prepare_rig(town_, rig_);
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->broken_reason, "");
  EXPECT_EQ(found->default_branch, "main");
  EXPECT_EQ(tip("refs/heads/main"), mine("main"));
  EXPECT_EQ(tip("refs/upstream/topic"), mine("topic"));
  EXPECT_FALSE(fs::exists(bare() + "/hooks"));
}

TEST_F(RigTest, FollowsTheSourceForwardAndKeepsWhatItHas) {
  prepare();
  sh("cd mine && echo two > a.txt && git commit -q -am two");
  prepare();
  EXPECT_EQ(tip("refs/heads/main"), mine("main"));
  const std::string two = mine("main");
  sh("cd mine && git reset -q --hard HEAD~1");
  prepare();
  EXPECT_EQ(tip("refs/heads/main"), two);
}

TEST_F(RigTest, TakesTheTargetThatItsOwnerNamed) {
  sh("git -C mine branch trunk");
  rig_.config.target = "trunk";
  const auto found = forge_->prepare_rig(town_, rig_);
  EXPECT_EQ(found->default_branch, "trunk");
  EXPECT_EQ(tip("refs/heads/trunk"), mine("trunk"));
}

TEST_F(RigTest, WithoutABranchCalledMainTakesTheOneThatIsCheckedOut) {
  sh("git -C mine branch -m main develop");
  EXPECT_EQ(forge_->prepare_rig(town_, rig_)->default_branch, "develop");
}

TEST_F(RigTest, AdoptsABranchAsItIsNowAndKeepsItWhateverBecomesOfIt) {
  sh("cd mine && git switch -q -c topic && echo x > x && git add . && git commit -q -m x && git switch -q main");
  const std::string commit = mine("topic");
  for (int times = 0; times < 2; ++times) EXPECT_EQ(forge_->adopt(town_, rig_, "topic").value_or("failed"), commit);
  sh("cd mine && git switch -q topic && git commit -q --amend -m forced");
  EXPECT_EQ(forge_->adopt(town_, rig_, "topic").value_or("failed"), mine("topic"));
  EXPECT_NE(mine("topic"), commit);
  sh("cd mine && git switch -q main && git branch -q -D topic");
  EXPECT_EQ(forge_->adopt(town_, rig_, "topic").error().code, Error::Code::not_found);
  EXPECT_EQ(tip("refs/town/adopted/" + commit), commit);
  EXPECT_EQ(sh("git -C " + bare() + " cat-file -t " + commit), "commit");
}

TEST_F(RigTest, AdoptsNothingThatIsOnTheTargetOrIsNoBranch) {
  sh("cd mine && git branch behind && echo two > a.txt && git commit -q -am two && git tag v1");
  for (const char* branch : {"behind", "main"})
    EXPECT_EQ(forge_->adopt(town_, rig_, branch).error().code, Error::Code::conflict) << branch;
  EXPECT_EQ(forge_->adopt(town_, rig_, "v1").error().code, Error::Code::not_found);
  for (const char* branch : {"--upload-pack=x", "a..b", ""})
    EXPECT_EQ(forge_->adopt(town_, rig_, branch).error().code, Error::Code::invalid) << branch;
}

TEST_F(RigTest, SaysWhatToDoAboutASourceThatCannotBeUsed) {
  EXPECT_NE(broken(path("nowhere")).find("There is no folder"), std::string::npos);
  sh("mkdir plain && git init -q -b main empty && git init -q --bare bare.git && mkdir mine/sub && "
     "git clone -q --depth 1 file://$PWD/mine shallow");
  EXPECT_NE(broken(path("plain")).find("git init"), std::string::npos);
  EXPECT_NE(broken(path("empty")).find("Make a first commit"), std::string::npos);
  EXPECT_NE(broken(path("bare.git")).find("bare repository"), std::string::npos);
  EXPECT_NE(broken(path("mine/sub")).find("inside of the repository " + path("mine")), std::string::npos);
  EXPECT_NE(broken(path("shallow")).find("--unshallow"), std::string::npos);
  EXPECT_NE(broken("ext::sh -c x").find("absolute path"), std::string::npos);
  EXPECT_NE(broken("relative/path").find("absolute path"), std::string::npos);
  rig_.config.target = "gone";
  EXPECT_NE(broken(path("mine")).find("no branch gone"), std::string::npos);
  rig_.config.target.clear();
  sh("cd mine && git checkout -q --detach && git branch -m main one && git branch two");
  EXPECT_NE(broken(path("mine")).find("no default branch"), std::string::npos);
  sh("cd mine && git switch -q -c 'odd;name'");
  EXPECT_NE(broken(path("mine")).find("cannot be a branch"), std::string::npos);
}

TEST_F(RigTest, IsMadeFromARepositoryWithPlantedHooksAndConfigWithoutRunningThem) {
  sh("cd mine && echo x > x.evil && git add . && git commit -q -m evil");
  plant(path("mine/.git"));
  prepare();
  EXPECT_EQ(tip("refs/heads/main"), mine("main"));
}

TEST_F(RigTest, MakesABranchAtTheTargetOnce) {
  prepare();
  ASSERT_TRUE(forge_->prepare_branch(town_, rig_, "convoy/x/t-1/head"));
  const std::string first = tip("refs/heads/convoy/x/t-1/head");
  EXPECT_EQ(first, mine("main"));
  sh("cd mine && echo two > a.txt && git commit -q -am two");
  prepare();
  ASSERT_TRUE(forge_->prepare_branch(town_, rig_, "convoy/x/t-1/head"));
  EXPECT_EQ(tip("refs/heads/convoy/x/t-1/head"), first);
  EXPECT_EQ(forge_->prepare_branch(town_, rig_, "a..b").error().code, Error::Code::invalid);
}

class CollectTest : public ForgeTest {
 protected:
  void SetUp() override {
    ForgeTest::SetUp();
    prepare();
  }
};

TEST_F(CollectTest, FetchesTheWorkOfARunOnceAndAgain) {
  clone("r1");
  const std::string work = commit("r1", "b.txt", "work");
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
  EXPECT_EQ(tip("refs/town/r1"), work);
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
  EXPECT_EQ(sh("git --git-dir='" + bare() + "' for-each-ref refs/town-clone"), "");
}

TEST_F(CollectTest, AnswersNothingForARunThatNeverHadAClone) { EXPECT_EQ(*forge_->collect(run_spec("r9")), ""); }

TEST_F(CollectTest, TakesTheBranchAlsoWhenTheAgentWentElsewhereAndKeepsTheRest) {
  clone("r1");
  const std::string work = commit("r1", "b.txt", "work");
  sh("cd data/clones/r1 && git switch -q -c own origin/main");
  const std::string aside = commit("r1", "c.txt", "aside");
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
  EXPECT_EQ(tip("refs/town-clone/r1/heads/own"), aside);
}

TEST_F(CollectTest, TakesHeadWhenItIsFurtherAlongTheBranch) {
  clone("r1");
  commit("r1", "b.txt", "work");
  sh("cd data/clones/r1 && git switch -q -c own");
  const std::string more = commit("r1", "c.txt", "more");
  EXPECT_EQ(*forge_->collect(run_spec("r1")), more);
}

TEST_F(CollectTest, KeepsANameForWorkThatWasHandedInAndThenRewritten) {
  clone("r1");
  const std::string first = commit("r1", "b.txt", "work");
  ASSERT_TRUE(forge_->collect(run_spec("r1")));
  const std::string second = sh("cd data/clones/r1 && git commit -q --amend -m other && git rev-parse HEAD");
  EXPECT_EQ(*forge_->collect(run_spec("r1")), second);
  EXPECT_EQ(tip("refs/town-clone/r1/earlier/" + first), first);
}

TEST_F(CollectTest, RunsNothingThatTheAgentPlanted) {
  clone("r1");
  const std::string work = commit("r1", "b.txt", "work");
  plant(path("data/clones/r1/.git"));
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
  const auto gone = forge_->discard(run_spec("r1"));
  ASSERT_TRUE(gone) << gone.error().what;
}

TEST_F(CollectTest, DiscardsAfterFetching) {
  clone("r1");
  const std::string work = commit("r1", "b.txt", "work");
  ASSERT_TRUE(forge_->discard(run_spec("r1")));
  EXPECT_FALSE(fs::exists(path("data/clones/r1")));
  EXPECT_EQ(tip("refs/town/r1"), work);
  EXPECT_TRUE(forge_->discard(run_spec("r1")));
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
}

TEST_F(CollectTest, FetchesTheWorkAlsoWhileTheCloneIsBeingDiscarded) {
  for (const char* run : {"r1", "r2", "r3"}) {
    clone(run);
    const std::string work = commit(run, run, "work");
    // Enough to remove for a while.
    for (int i = 0; i < 300; ++i) fs::create_directories(path("data/clones/") + run + "/many/" + std::to_string(i));
    const std::jthread discards{[&] { EXPECT_TRUE(forge_->discard(run_spec(run))); }};
    // Whoever starts the next run on the bead, or tries its merge, asks for the work at any of these moments.
    for (int i = 0; i < 3; ++i) {
      const auto collected = forge_->collect(run_spec(run));
      ASSERT_TRUE(collected) << collected.error().what;
      EXPECT_EQ(*collected, work);
    }
  }
}

TEST_F(CollectTest, DiscardsWhatARemovalThatWasCutOffLeft) {
  clone("r1");
  const std::string work = commit("r1", "b.txt", "work");
  ASSERT_TRUE(forge_->collect(run_spec("r1")));
  fs::rename(path("data/clones/r1"), path("data/clones/r1.removed"));
  EXPECT_EQ(*forge_->collect(run_spec("r1")), work);
  ASSERT_TRUE(forge_->discard(run_spec("r1")));
  EXPECT_FALSE(fs::exists(path("data/clones/r1.removed")));
}

TEST_F(CollectTest, DoesNotDiscardWhatCannotBeFetched) {
  clone("r1");
  commit("r1", "b.txt", "work");
  sh("cd data/clones/r1/.git/objects && for f in [0-9a-f]*/*; do chmod u+w $f && echo junk > $f; done");
  EXPECT_FALSE(forge_->discard(run_spec("r1")));
  EXPECT_TRUE(fs::exists(path("data/clones/r1/b.txt")));
}

TEST_F(CollectTest, OfPullRequestsSaysThatNoHostIsSetUp) {
  const std::string url = "https://example.org/a/b/pull/1";
  EXPECT_EQ(forge_->poll_pr({town_, rig_, BeadId("m"), url, "main", true})->error_kind, "unrecognized_url");
  rig_.config.push_remote = "https://example.org/a/b.git";
  const auto answer = forge_->poll_pr({town_, rig_, BeadId("m"), url, "main", true});
  EXPECT_FALSE(answer->ok);
  EXPECT_EQ(answer->error_kind, "no_token");
  EXPECT_FALSE(forge_->merge_pr({rig_, BeadId("m"), url, "", "", ""})->merged);
  EXPECT_FALSE(forge_->comment_pr({rig_, url, "hello"}));
}

TEST_F(CollectTest, OfPullRequestsKnowsGroupsWithinGroupsAtGitLabAlone) {
  const auto refusal = [this](HostKind kind, const std::string& url) {
    HostSettings host;
    host.kind = kind;
    host.host = "git.example";
    const sim::FakeClock clock;
    LocalForge forge(program(), path("data"), std::make_unique<Hosts>(std::vector{host}, clock, Noticed{}));
    rig_.config.push_remote = "https://git.example/a/b/c.git";
    const auto answer = forge.poll_pr({town_, rig_, BeadId("m"), url, "main", true});
    return answer->error_kind + ": " + answer->error_message;
  };
  EXPECT_EQ(refusal(HostKind::github, "https://git.example/b/c/pull/1"),
            "unrecognized_url: a/b/c is no repository of git.example");
  EXPECT_EQ(refusal(HostKind::gitlab, "https://git.example/b/c/-/merge_requests/1"),
            "unrecognized_url: b/c is not the rig's repository a/b/c");
}

}  // namespace
}  // namespace townd
