#include "cli/refine.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/gate.hpp"
#include "forge_fixture.hpp"

namespace townd {
namespace {

using events::TrialOutcome;

class RefineTest : public ForgeTest {
 protected:
  void SetUp() override {
    ForgeTest::SetUp();
    prepare();
    input_.clone = clone("t-1");
    input_.scratch = path("scratch");
    input_.base = mine("main");
    input_.care.sound = input_.base;
  }
  /// Work of a run, as a request.
  std::string work(const std::string& run, const std::string& file, const std::string& text) {
    clone(run);
    const std::string made = commit(run, file, text);
    EXPECT_TRUE(forge_->collect(run_spec(run)));
    input_.requests.push_back({BeadId("b-" + run), "Title of " + run, made});
    return made;
  }
  RefineInput input_;
};

TEST_F(RefineTest, MergesInOrderAndIsGreenWhenAllGatesPass) {
  work("w1", "b.txt", "one");
  work("w2", "c.txt", "two");
  input_.gates = {"test -f b.txt", "grep -q two c.txt"};
  const auto result = refine(input_);
  ASSERT_EQ(result.outcome, TrialOutcome::green) << result.output;
  EXPECT_EQ(result.base, input_.base);
  EXPECT_EQ(result.requests, (std::vector<BeadId>{BeadId("b-w1"), BeadId("b-w2")}));
  EXPECT_EQ(sh("git -C data/clones/t-1 log --merges --format='%s|%an|%ae' " + result.commit),
            "Merge b-w2: Title of w2|Toast (townd)|toast@townd.local\n"
            "Merge b-w1: Title of w1|Toast (townd)|toast@townd.local");
}

TEST_F(RefineTest, ItsCommitLands) {
  const std::string made = work("w1", "b.txt", "one");
  const auto result = refine(input_);
  LandSpec spec;
  spec.rig = rig_;
  spec.trial_run_id = RunId("t-1");
  spec.target_branch = "main";
  spec.base_commit = result.base;
  spec.commit = result.commit;
  spec.request_commits = {made};
  EXPECT_EQ(forge_->land(spec)->answer, events::LandingAnswer::landed);
  EXPECT_EQ(mine("main"), result.commit);
}

TEST_F(RefineTest, OnTopOfAnotherTrialItLandsAfterThatOne) {
  work("w1", "b.txt", "one");
  const std::string made = work("w2", "c.txt", "two");
  work("w3", "b.txt", "conflicts");
  const auto first = refine(input_);
  ASSERT_EQ(first.conflicts.size(), 1u);
  // The commits are the same whoever makes them and when: they have the later date of what they join.
  EXPECT_EQ(sh("git -C data/clones/t-1 log -1 --format=%ct " + first.commit),
            sh("git -C data/clones/t-1 log -1 --format=%ct " + made));

  RefineInput ahead = input_;
  ahead.clone = clone("t-2");
  sh("git -C data/clones/t-2 config user.name 'Maple (townd)' && git -C data/clones/t-2 config user.email maple@x");
  ahead.expected = std::move(ahead.requests);
  ahead.expected_by = "Toast";
  input_.requests.clear();
  work("w4", "d.txt", "four");
  ahead.requests = input_.requests;
  ahead.gates = {"grep -q one b.txt && grep -q two c.txt && grep -q four d.txt"};
  const auto second = refine(ahead);
  ASSERT_EQ(second.outcome, TrialOutcome::green) << second.output;
  EXPECT_EQ(second.base, first.commit);
  EXPECT_TRUE(second.conflicts.empty());
  EXPECT_EQ(second.requests, (std::vector<BeadId>{BeadId("b-w4")}));
  EXPECT_EQ(sh("git -C data/clones/t-2 log -1 --format=%an " + second.commit), "Maple (townd)");

  const auto land = [&](const char* trial, const events::TrialResult& result) {
    LandSpec spec;
    spec.rig = rig_;
    spec.trial_run_id = RunId(trial);
    spec.target_branch = "main";
    spec.base_commit = result.base;
    spec.commit = result.commit;
    return forge_->land(spec)->answer;
  };
  EXPECT_EQ(land("t-2", second), events::LandingAnswer::moved) << "the other has not landed yet";
  EXPECT_EQ(land("t-1", first), events::LandingAnswer::landed);
  EXPECT_EQ(land("t-2", second), events::LandingAnswer::landed);
  EXPECT_EQ(mine("main"), second.commit);
}

TEST_F(RefineTest, StopsAtTheFirstRedGateAndKeepsTheTailOfItsOutput) {
  work("w1", "b.txt", "one");
  input_.gates = {"true", "seq 1 100000; echo broken >&2; exit 7", "touch never"};
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::red);
  EXPECT_EQ(result.gate, input_.gates[1]);
  EXPECT_TRUE(result.output.ends_with("100000\nbroken\n"));
  EXPECT_LE(result.output.size(), 20'000U);
  EXPECT_FALSE(std::filesystem::exists(path("data/clones/t-1/never")));
}

TEST_F(RefineTest, StopsAGateThatDoesNotEnd) {
  work("w1", "b.txt", "one");
  input_.gates = {"echo started; sleep 1000"};
  input_.gate_timeout = std::chrono::milliseconds(500);
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::red);
  EXPECT_NE(result.output.find("was stopped after"), std::string::npos);
}

TEST_F(RefineTest, StopsAGateThatForksForEver) {
  work("w1", "b.txt", "one");
  // Each starts the next in a session of its own and ends, so that nobody can be waited for.
  input_.gates = {"echo 'echo . >> " + path("lives") +
                  "; sleep 0.01; setsid sh ./again & sleep 1000' > again; setsid sh ./again & sleep 1000"};
  input_.gate_timeout = std::chrono::milliseconds(500);
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::red);
  if (!GateRunner(input_.clone, input_.gate_timeout).confined()) GTEST_SKIP() << "nothing can be confined here";
  const std::string lives = sh("wc -l < " + path("lives"));
  EXPECT_GT(std::stoi(lives), 1);
  EXPECT_EQ(sh("sleep 0.2; wc -l < " + path("lives")), lives);
}

TEST_F(RefineTest, PassesOnAllThatAGatePrintsAndSaysWhereItIs) {
  work("w1", "b.txt", "one");
  input_.gates = {"seq 20000; false"};
  input_.whole_output = "town logs maple --run t-1";
  std::string all;
  input_.echo = [&](std::string_view output) { all += output; };
  const auto result = refine(input_);
  EXPECT_EQ(all, sh("seq 20000") + "\n");
  EXPECT_TRUE(result.output.starts_with("[the end of it; all of it: town logs maple --run t-1]\n"));
  EXPECT_TRUE(result.output.ends_with("19999\n20000\n"));
}

TEST_F(RefineTest, MergesPointersToLargeFilesAsTheyAre) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2147483648";
  work("w1", ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
  work("w2", "model.bin", pointer);
  input_.gates = {"grep -q 'oid sha256:4d7a' model.bin"};
  const auto result = refine(input_);
  ASSERT_EQ(result.outcome, TrialOutcome::green) << result.output;
  EXPECT_EQ(sh("git -C data/clones/t-1 show " + result.commit + ":model.bin"), pointer);
}

TEST_F(RefineTest, NamesTheFilesOfAConflictAndLeavesNoMergeBehind) {
  work("w1", "a.txt", "this");
  work("w2", "a.txt", "that");
  work("w3", "c.txt", "another");
  input_.gates = {"test -f c.txt"};
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::green) << "the others go on without it";
  EXPECT_EQ(result.requests.size(), 3u);
  ASSERT_EQ(result.conflicts.size(), 1u);
  EXPECT_EQ(result.conflicts[0].bead_id, BeadId("b-w2"));
  EXPECT_FALSE(result.conflicts[0].its_own) << "it might do without b-w1";
  EXPECT_NE(result.conflicts[0].output.find("b-w2 conflicts"), std::string::npos);
  EXPECT_NE(result.conflicts[0].output.find("a.txt"), std::string::npos);
  EXPECT_EQ(sh("git -C data/clones/t-1 status --porcelain"), "");
}

TEST_F(RefineTest, AConflictWithTheTargetIsItsOwn) {
  work("w1", "a.txt", "this");
  commit("t-1", "a.txt", "moved on");
  input_.base = sh("git -C data/clones/t-1 rev-parse HEAD");
  work("w2", "c.txt", "two");
  const auto both = refine(input_);
  EXPECT_EQ(both.outcome, TrialOutcome::green);
  ASSERT_EQ(both.conflicts.size(), 1u);
  EXPECT_TRUE(both.conflicts[0].its_own);
  input_.requests.pop_back();
  const auto alone = refine(input_);
  EXPECT_EQ(alone.outcome, TrialOutcome::conflict);
  EXPECT_NE(alone.output.find("b-w1 conflicts"), std::string::npos);
}

TEST_F(RefineTest, WorkThatIsNotThereIsLeftOutOfABatch) {
  work("w1", "b.txt", "one");
  input_.requests.push_back({BeadId("b-2"), "x", std::string(40, '1')});
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::green);
  ASSERT_EQ(result.conflicts.size(), 1u);
  EXPECT_TRUE(result.conflicts[0].its_own);
  EXPECT_NE(result.conflicts[0].output.find("is not in the rig's repository"), std::string::npos);
}

TEST_F(RefineTest, WorkOfAnotherHistoryIsLeftOutOfABatch) {
  work("w1", "b.txt", "one");
  clone("w2");
  sh("cd data/clones/w2 && git checkout -q --orphan other && git commit -qm other && git push -q . "
     "HEAD:refs/heads/other");
  const std::string made = sh("git -C data/clones/w2 rev-parse HEAD");
  ASSERT_TRUE(forge_->collect(run_spec("w2")));
  sh("git -C data/clones/t-1 fetch -q ../w2 other");
  input_.requests.push_back({BeadId("b-w2"), "another history", made});
  work("w3", "c.txt", "two");
  input_.gates = {"test -f b.txt && test -f c.txt"};
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::green) << result.output;
  ASSERT_EQ(result.conflicts.size(), 1u);
  EXPECT_TRUE(result.conflicts[0].its_own);
}

TEST_F(RefineTest, AGateThatFailsIsRunAgainWhenAskedFor) {
  work("w1", "b.txt", "one");
  const std::string once = "test -f .git/tried || { touch .git/tried; exit 1; }";  // fails the first time only
  input_.gates = {once, "test -f b.txt"};
  input_.care.retry_gate = true;
  const auto retried = refine(input_);
  EXPECT_EQ(retried.outcome, TrialOutcome::green) << retried.output;
  EXPECT_EQ(retried.flaked, std::vector<std::string>{once});
  sh("rm data/clones/t-1/.git/tried");
  input_.care.retry_gate = false;
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::red);
}

TEST_F(RefineTest, AGateThatFailsOnTheTargetAloneIsNobodysFault) {
  work("w1", "b.txt", "one");
  input_.care.check_base = true;
  input_.gates = {"test ! -f b.txt"};
  const auto work_is_red = refine(input_);
  EXPECT_EQ(work_is_red.outcome, TrialOutcome::red);
  EXPECT_TRUE(work_is_red.base_checked);
  input_.gates = {"echo it never passes; false"};
  const auto broken = refine(input_);
  EXPECT_EQ(broken.outcome, TrialOutcome::broken);
  EXPECT_FALSE(broken.base_checked);
  EXPECT_NE(broken.output.find("it never passes"), std::string::npos);
}

TEST_F(RefineTest, OfOneRequestAGateIsTriedOnATargetThatIsNotKnownToPassIt) {
  work("w1", "b.txt", "one");
  input_.gates = {"echo ran >> " + path("runs") + "; false"};
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::red) << "this target is known to be sound";
  EXPECT_EQ(sh("wc -l < " + path("runs")), "1");
  input_.care.sound = "another";
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::broken);
  work("w2", "c.txt", "two");
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::red) << "of two, halving comes first";
}

TEST_F(RefineTest, WorkThatChangesNothingIsMergedWithoutACommit) {
  clone("w1");
  input_.requests.push_back({BeadId("b-w1"), "nothing", input_.base});
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::green) << result.output;
  EXPECT_EQ(result.commit, input_.base);
}

TEST_F(RefineTest, NamesABinaryFileThatConflicts) {
  for (const std::string run : {"w1", "w2"}) {
    clone(run);
    sh("cd data/clones/" + run + " && printf 'a\\000" + run + "' > picture && git add . && git commit -qm " + run);
    const std::string made = sh("git -C data/clones/" + run + " rev-parse HEAD");
    ASSERT_TRUE(forge_->collect(run_spec(run)));
    input_.requests.push_back({BeadId("b-" + run), "a picture", made});
  }
  const auto result = refine(input_);
  ASSERT_EQ(result.conflicts.size(), 1u);
  EXPECT_NE(result.conflicts[0].output.find("picture"), std::string::npos);
}

TEST_F(RefineTest, MergesARenameThatChangesOnlyTheCaseAndALinkToAnotherRepository) {
  clone("w1");
  sh("cd data/clones/w1 && git mv a.txt A.txt && git commit -qm renamed");
  sh("cd data/clones/w1 && git update-index --add --cacheinfo 160000," + input_.base +
     ",module && git commit -qm module");
  const std::string made = sh("git -C data/clones/w1 rev-parse HEAD");
  ASSERT_TRUE(forge_->collect(run_spec("w1")));
  input_.requests.push_back({BeadId("b-w1"), "case", made});
  work("w2", "b.txt", "one");
  input_.gates = {"test -f A.txt && test ! -e a.txt && test -f b.txt"};
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::green) << result.output;
}

TEST_F(RefineTest, KeepsLittleOfAGateThatPrintsWithoutEnd) {
  work("w1", "b.txt", "one");
  input_.gates = {"head -c 60000000 /dev/zero | tr '\\0' x; echo; echo the last word; false"};
  const auto result = refine(input_);
  EXPECT_EQ(result.outcome, TrialOutcome::red);
  EXPECT_LT(result.output.size(), 4u << 20);
  EXPECT_NE(result.output.find("the last word"), std::string::npos);
}

TEST_F(RefineTest, SaysThatThereIsNothingToMergeAndIsAnErrorWithoutABase) {
  input_.requests = {{BeadId("b-1"), "x", std::string(40, '1')}};
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::conflict);
  input_.requests = {{BeadId("b-1"), "x", "--upload-pack=x"}};
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::conflict);
  input_.requests.clear();
  input_.base = "HEAD";
  EXPECT_EQ(refine(input_).outcome, TrialOutcome::error);
}

TEST_F(RefineTest, MakesATitleOfAnyKindOneCleanLine) {
  work("w1", "b.txt", "one");
  input_.requests[0].title = "evil\n\ntrailer: x\x1b[31m" + std::string(1000, 'y');
  const auto result = refine(input_);
  const std::string subject = sh("git -C data/clones/t-1 log -1 --format=%s " + result.commit);
  EXPECT_TRUE(subject.starts_with("Merge b-w1: evil  trailer: x[31myyy")) << subject;
  EXPECT_LT(subject.size(), 300U);
  EXPECT_EQ(sh("git -C data/clones/t-1 log -1 --format=%b " + result.commit), "");
}

TEST_F(RefineTest, GivesGatesNoTokenNoCredentialsAndOnlyLoopback) {
  for (const char* name : {"TOWN_TOKEN", "GASTOWN_SESSION_TOKEN", "ANTHROPIC_API_KEY"}) ::setenv(name, "s3cret", 1);
  work("w1", "b.txt", "one");
  input_.gates = {
      "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; echo; "
      "tail -n +3 /proc/net/dev | cut -d: -f1; exit 1"};
  const auto result = refine(input_);
  for (const char* name : {"TOWN_TOKEN", "GASTOWN_SESSION_TOKEN", "ANTHROPIC_API_KEY"}) ::unsetenv(name);
  if (!GateRunner(path(""), std::chrono::seconds(1)).confined()) {
    GTEST_SKIP() << "bubblewrap does not work here";
  }
  EXPECT_EQ(result.output.find("s3cret"), std::string::npos);
  EXPECT_TRUE(result.output.ends_with("\n    lo\n")) << result.output;
}

TEST(GateOutput, IsMadeValidText) {
  EXPECT_EQ(clean_text("a\x1b[31mb\r\n\tc\xff\xc3"), "a[31mb\n\tc??");
  EXPECT_EQ(clean_text("grün \xe2\x82\xac"), "grün \xe2\x82\xac");
  EXPECT_EQ(clean_text("\xed\xa0\x80\xc0\xaf\xf5"), "??????");
}

}  // namespace
}  // namespace townd
