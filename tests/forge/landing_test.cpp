#include <gtest/gtest.h>

#include <filesystem>

#include "forge_fixture.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;
using events::LandingAnswer;

class LandingTest : public ForgeTest {
 protected:
  void SetUp() override {
    ForgeTest::SetUp();
    prepare();
  }
  events::GitMergeResult land(const LandSpec& spec) {
    auto answer = forge_->land(spec);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(events::GitMergeResult{});
  }
  /// Landed everywhere: ours, the owner's branch, and one merge commit for it.
  void expect_landed(const LandSpec& spec) {
    const auto answer = land(spec);
    EXPECT_EQ(answer.answer, LandingAnswer::landed) << answer.why;
    EXPECT_EQ(answer.commit, spec.commit);
    EXPECT_EQ(answer.bead_id, spec.request_id);
    EXPECT_EQ(tip("refs/heads/main"), spec.commit);
    EXPECT_EQ(mine("main"), spec.commit);
  }
  /// The answer, and that nothing has moved anywhere.
  std::string expect_unmoved(const LandSpec& spec, LandingAnswer expected_answer) {
    const std::string ours = tip("refs/heads/main");
    const std::string theirs = mine("main");
    const std::string files = sh("cd mine && git status --porcelain && ls && cat *.txt");
    const auto answer = land(spec);
    EXPECT_EQ(answer.answer, expected_answer) << answer.why;
    EXPECT_EQ(answer.commit, "");
    EXPECT_EQ(tip("refs/heads/main"), ours);
    EXPECT_EQ(mine("main"), theirs);
    EXPECT_EQ(sh("cd mine && git status --porcelain && ls && cat *.txt"), files);
    return answer.why;
  }
  void detach_mine() const { sh("git -C mine switch -q -c elsewhere"); }
};

TEST_F(LandingTest, MovesATargetThatIsCheckedOutNowhere) {
  detach_mine();
  write(path("mine/a.txt"), "my changes\n");
  const LandSpec spec = request(1, "b.txt");
  expect_landed(spec);
  EXPECT_EQ(read(path("mine/a.txt")), "my changes\n");
  EXPECT_FALSE(fs::exists(path("mine/b.txt")));
  EXPECT_FALSE(fs::exists(path("mine/.git/FETCH_HEAD")));
}

TEST_F(LandingTest, FastForwardsACleanCheckoutAndLeavesUntrackedFilesAlone) {
  write(path("mine/notes"), "mine\n");
  const LandSpec spec = request(1, "b.txt");
  expect_landed(spec);
  EXPECT_EQ(read(path("mine/b.txt")), "work 1\n");
  EXPECT_EQ(read(path("mine/notes")), "mine\n");
  EXPECT_EQ(sh("git -C mine status --porcelain"), "?? notes");
}

TEST_F(LandingTest, IsHeldByADirtyCheckoutAndGoesOnOnceItIsClean) {
  const LandSpec spec = request(1, "b.txt");
  write(path("mine/a.txt"), "my changes\n");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("not committed"), std::string::npos);
  EXPECT_FALSE(land(spec).alone);
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find(path("mine")), std::string::npos);
  sh("git -C mine stash -q");
  expect_landed(spec);
}

TEST_F(LandingTest, IsHeldByADirtyCheckoutInALinkedWorktree) {
  detach_mine();
  sh("git -C mine worktree add -q ../linked main && echo changed > linked/a.txt");
  const LandSpec spec = request(1, "b.txt");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find(path("linked")), std::string::npos);
  sh("git -C linked checkout -q a.txt");
  expect_landed(spec);
  EXPECT_EQ(read(path("linked/b.txt")), "work 1\n");
}

TEST_F(LandingTest, OnlyLooksWhetherWorkThatWasGivenUpHasLanded) {
  LandSpec spec = request(1, "b.txt");
  LandSpec look = spec;
  look.only_look = true;
  EXPECT_EQ(expect_unmoved(look, LandingAnswer::failed), "it is not on main");
  expect_landed(spec);
  expect_landed(look);
}

TEST_F(LandingTest, IsHeldByAnUntrackedFileInTheWay) {
  const LandSpec spec = request(1, "b.txt");
  write(path("mine/b.txt"), "precious\n");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("b.txt"), std::string::npos);
  EXPECT_EQ(read(path("mine/b.txt")), "precious\n");
}

TEST_F(LandingTest, IsHeldWhileTheTargetIsBeingRebased) {
  const LandSpec spec = request(1, "b.txt");
  sh("cd mine && git switch -q -c other && echo x > a.txt && git commit -q -am x && git switch -q main && "
     "git switch -q -c keep && git switch -q main && echo y > a.txt && git commit -q -am y");
  sh("cd mine && (git rebase -q other > /dev/null 2>&1 || true)");
  const auto answer = land(spec);
  EXPECT_NE(answer.answer, LandingAnswer::landed);
  sh("cd mine && git rebase --abort");
}

TEST_F(LandingTest, AnswersMovedWhenTheOwnerHasCommittedAndBringsItIn) {
  const LandSpec spec = request(1, "b.txt");
  sh("cd mine && echo two > a.txt && git commit -q -am two");
  const std::string theirs = mine("main");
  const auto answer = land(spec);
  EXPECT_EQ(answer.answer, LandingAnswer::moved);
  EXPECT_EQ(mine("main"), theirs);
  EXPECT_EQ(tip("refs/heads/main"), theirs);
  const LandSpec again = trial("t-2", spec.request_commits.front());
  EXPECT_EQ(again.base_commit, theirs);
  expect_landed(again);
}

TEST_F(LandingTest, AnswersMovedWhenAnotherRequestLandedFirst) {
  detach_mine();
  const LandSpec first = request(1, "b.txt");
  const LandSpec second = request(2, "c.txt");
  expect_landed(first);
  EXPECT_NE(expect_unmoved(second, LandingAnswer::moved).find(second.base_commit), std::string::npos);
}

TEST_F(LandingTest, FollowsAnOwnerWhoRewoundAndKeepsWhatWasThere) {
  detach_mine();
  const LandSpec first = request(1, "b.txt");
  expect_landed(first);
  sh("git -C mine branch -f main " + first.base_commit);
  const LandSpec second = request(2, "c.txt");
  EXPECT_EQ(land(second).answer, LandingAnswer::moved);
  EXPECT_EQ(tip("refs/heads/main"), first.base_commit);
  EXPECT_EQ(tip("refs/town-kept/" + first.commit), first.commit);
}

TEST_F(LandingTest, IsDoneAgainHarmlesslyAfterACrashAtAnyStep) {
  const LandSpec spec = request(1, "b.txt");
  ASSERT_TRUE(forge_->collect({town_, rig_, RunId("t-1"), {}}));  // killed after the fetch
  expect_landed(spec);
  const auto undo_ours = "git --git-dir='" + bare() + "' update-ref refs/heads/main " + spec.base_commit;
  sh(undo_ours);  // killed between the owner's branch and ours
  expect_landed(spec);
  sh("git -C mine reset -q --hard " + spec.base_commit + " && " + undo_ours);  // killed before either
  expect_landed(spec);
  expect_landed(spec);  // killed before the answer was recorded
  fs::remove_all(path("data/clones/t-1"));
  expect_landed(spec);
  EXPECT_EQ(sh("git -C mine rev-list --count --merges main"), "1");
}

TEST_F(LandingTest, LandedStaysLandedWhenTheOwnerGoesOn) {
  const LandSpec spec = request(1, "b.txt");
  expect_landed(spec);
  sh("cd mine && echo two > a.txt && git commit -q -am two");
  EXPECT_EQ(land(spec).answer, LandingAnswer::landed);
}

TEST_F(LandingTest, FailsWhatIsNotProven) {
  detach_mine();
  LandSpec spec = request(1, "b.txt");
  LandSpec lie = spec;
  lie.commit = std::string(40, '1');
  EXPECT_NE(expect_unmoved(lie, LandingAnswer::failed).find("not in the clone"), std::string::npos);
  lie.commit = "main; touch x";
  EXPECT_NE(expect_unmoved(lie, LandingAnswer::failed).find("not a commit id"), std::string::npos);
  lie = spec;
  lie.commit = spec.base_commit;
  EXPECT_NE(expect_unmoved(lie, LandingAnswer::failed).find("does not contain"), std::string::npos);
  lie = spec;
  lie.commit = sh("cd data/clones/t-1 && git checkout -q --orphan x && git commit -q -m x && git rev-parse HEAD");
  lie.trial_run_id = RunId("t-1");
  EXPECT_NE(expect_unmoved(lie, LandingAnswer::failed).find("does not contain"), std::string::npos);
  lie = spec;
  lie.target_branch = "../main";
  EXPECT_NE(expect_unmoved(lie, LandingAnswer::failed).find("cannot be a branch"), std::string::npos);
  expect_landed(spec);
}

/// A refinery that thinks names its commit only.
TEST_F(LandingTest, WithoutABaseGoesOnTopOfTheTarget) {
  detach_mine();
  LandSpec spec = request(1, "b.txt"), late = request(2, "c.txt");
  spec.base_commit.clear();
  late.base_commit.clear();
  expect_landed(spec);
  expect_landed(spec);  // once more
  EXPECT_NE(expect_unmoved(late, LandingAnswer::moved).find("on which"), std::string::npos);
}

TEST_F(LandingTest, HoldsAChangeOfTheTownFolderUntilAPersonMergesIt) {
  detach_mine();
  const LandSpec spec = request(1, ".town/town.toml");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find(".town/town.toml"), std::string::npos);
  EXPECT_TRUE(land(spec).alone) << "the rig's other requests do not wait for it";
  sh("cd mine && git switch -q main && git fetch -q '" + bare() +
     "' refs/town/t-1 && git merge -q --ff-only FETCH_HEAD");
  expect_landed(spec);
}

TEST_F(LandingTest, OfAConvoysBranchTouchesNobodyElse) {
  ASSERT_TRUE(forge_->prepare_branch(town_, rig_, "convoy/x/t-1/head"));
  LandSpec spec = request(1, "b.txt");
  spec.target_branch = "convoy/x/t-1/head";
  write(path("mine/a.txt"), "dirty\n");
  const std::string before = mine("main");
  EXPECT_EQ(land(spec).answer, LandingAnswer::landed);
  EXPECT_EQ(tip("refs/heads/convoy/x/t-1/head"), spec.commit);
  EXPECT_EQ(mine("main"), before);
  EXPECT_EQ(sh("git -C mine branch --list 'convoy/*'"), "");
}

TEST_F(LandingTest, RunsNothingThatIsPlantedInTheOwnersRepositoryOrTheTrialsClone) {
  sh("cd mine && echo x > x.evil && git add . && git commit -q -m evil");
  prepare();
  const LandSpec spec = request(1, "b.txt");
  plant(path("mine/.git"));
  plant(path("data/clones/t-1/.git"));
  expect_landed(spec);
  EXPECT_EQ(read(path("mine/b.txt")), "work 1\n");
}

TEST_F(LandingTest, IsHeldWhenAFileWouldNeedAFilter) {
  write(path("mine/.git/info/attributes"), "*.big filter=lfs\n");
  const LandSpec spec = request(1, "b.big");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("b.big"), std::string::npos);
}

TEST_F(LandingTest, IsHeldWhenTheOwnersBranchIsGone) {
  const LandSpec spec = request(1, "b.txt");
  sh("cd mine && git switch -q -c other && git branch -q -D main");
  const auto answer = land(spec);
  EXPECT_EQ(answer.answer, LandingAnswer::held);
  EXPECT_NE(answer.why.find("no branch main"), std::string::npos);
}

class PushTest : public LandingTest {
 protected:
  void SetUp() override {
    LandingTest::SetUp();
    sh("git clone -q --bare mine host.git && git -C mine remote add origin " + path("host.git"));
    rig_.config.push_remote = "origin";
  }
  std::string host() const { return sh("git --git-dir=host.git rev-parse main"); }
};

TEST_F(PushTest, PutsTheResultOnTheHostToo) {
  const LandSpec spec = request(1, "b.txt");
  plant(path("host.git"));
  expect_landed(spec);
  EXPECT_EQ(host(), spec.commit);
  expect_landed(spec);
}

TEST_F(PushTest, AnswersMovedWhenTheHostHasMovedAndBringsItIn) {
  const LandSpec spec = request(1, "b.txt");
  sh("git clone -q host.git colleague && cd colleague && echo two > a.txt && git commit -q -am two && git push -q");
  const std::string before = host();
  EXPECT_EQ(land(spec).answer, LandingAnswer::moved);
  EXPECT_EQ(host(), before);
  EXPECT_EQ(tip("refs/heads/main"), before);
  const LandSpec again = trial("t-2", spec.request_commits.front());
  expect_landed(again);  // the owner's main, which had missed the colleague's commit, goes along
  EXPECT_EQ(host(), again.commit);
}

TEST_F(PushTest, IsHeldWhenHostAndOwnerHaveDiverged) {
  const LandSpec spec = request(1, "b.txt");
  sh("git clone -q host.git colleague && cd colleague && echo two > a.txt && git commit -q -am two && git push -q");
  sh("cd mine && echo three > a.txt && git commit -q -am three");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("diverged"), std::string::npos);
}

TEST_F(PushTest, PushesNothingWhileTheOwnersCheckoutIsDirty) {
  const LandSpec spec = request(1, "b.txt");
  write(path("mine/a.txt"), "dirty\n");
  expect_unmoved(spec, LandingAnswer::held);
  EXPECT_EQ(host(), spec.base_commit);
}

TEST_F(PushTest, GoesOnAfterACrashBetweenHostAndOwner) {
  const LandSpec spec = request(1, "b.txt");
  ASSERT_TRUE(forge_->collect({town_, rig_, RunId("t-1"), {}}));
  sh("git --git-dir='" + bare() + "' push -q " + path("host.git") + " " + spec.commit + ":refs/heads/main");
  expect_landed(spec);
  EXPECT_EQ(host(), spec.commit);
}

TEST_F(PushTest, IsHeldWhenTheHostRefuses) {
  // A host whose main is checked out takes no push to it.
  sh("git clone -q host.git strict && git -C mine remote set-url origin " + path("strict"));
  const LandSpec spec = request(1, "b.txt");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("denyCurrentBranch"), std::string::npos);
}

TEST_F(PushTest, IsHeldWhenThereIsNoSuchRemote) {
  rig_.config.push_remote = "upstream";
  const LandSpec spec = request(1, "b.txt");
  EXPECT_NE(expect_unmoved(spec, LandingAnswer::held).find("no remote upstream"), std::string::npos);
}

}  // namespace
}  // namespace townd
