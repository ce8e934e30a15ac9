#include "server/doctor/leftovers.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>

#include "core/town.hpp"
#include "forge_fixture.hpp"
#include "runtime/run_processes.hpp"
#include "sim/fake_runtime.hpp"

/// Clones, branches and processes that nobody works with any more, in a real repository.
namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr Instant kNow{1'800'000'000'000};

class LeftoversTest : public ForgeTest {
 protected:
  void SetUp() override {
    ForgeTest::SetUp();
    prepare();
    known_.rigs.push_back({town_, rig_, {"main"}});
    known_.towns.insert(town_);
  }
  void know(const std::string& run, RunState state, Duration ended_ago) {
    townd::Run row;
    row.run_id = RunId(run);
    row.rig_id = rig_.rig_id;
    row.state = state;
    row.branch = "gt/toast/" + run;
    if (state == RunState::ended) row.ended_at = kNow - ended_ago;
    known_.runs.insert_or_assign(run, doctor::Known::OfRun{town_, row});
  }
  doctor::Report clones(bool fix) {
    doctor::Report report;
    check_clones(path("data"), doctor::leftovers_in(path("data")), known_, kNow, {forge_.get(), nullptr}, report);
    if (fix) report.repair();
    return report;
  }
  doctor::Report branches(bool fix) {
    doctor::Report report;
    check_branches(path("data"), doctor::leftovers_in(path("data")), known_, kNow, hands_, report);
    if (fix) report.repair();
    return report;
  }
  [[nodiscard]] bool there(const std::string& run) const { return fs::exists(path("data/clones/" + run)); }

  doctor::Known known_;
  doctor::Hands hands_;
};

TEST_F(LeftoversTest, AnOrphanCloneGoesOnceItsCommitsHaveANameInTheRig) {
  clone("o-1");
  const std::string unsaved = commit("o-1", "a", "not in the rig yet");
  const doctor::Report report = clones(true);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_TRUE(report.findings[0].fixed) << report.findings[0].what;
  EXPECT_FALSE(there("o-1"));
  EXPECT_EQ(tip("refs/town/o-1"), unsaved);
}

TEST_F(LeftoversTest, AnOrphanCloneWhoseCommitsCannotBeSavedStays) {
  clone("o-1");
  commit("o-1", "a", "only here");
  sh("rm data/clones/o-1/.git/objects/info/alternates && git -C data/clones/o-1 checkout -q --orphan new 2>&1 || true");
  clone("o-2");
  commit("o-2", "a", "broken");
  sh("find data/clones/o-2/.git/objects -type f -path '*/[0-9a-f][0-9a-f]/*' -exec sh -c "
     "'chmod u+w \"$1\" && echo rubbish > \"$1\"' sh {} ';'");
  const doctor::Report report = clones(true);
  ASSERT_EQ(report.findings.size(), 2u);
  for (const doctor::Finding& finding : report.findings) EXPECT_FALSE(finding.fixed) << finding.what;
  EXPECT_FALSE(report.findings[0].repair) << "nobody can say which rig it is of";
  EXPECT_NE(report.findings[1].what.find("it could not be repaired"), std::string::npos) << report.findings[1].what;
  EXPECT_TRUE(there("o-1"));
  EXPECT_TRUE(there("o-2"));
}

TEST_F(LeftoversTest, ACloneOfARunThatLivesOrHasJustEndedIsNoOrphan) {
  clone("r-1");
  know("r-1", RunState::running, {});
  EXPECT_TRUE(clones(false).findings.empty());
  know("r-1", RunState::ended, minutes(15));
  EXPECT_TRUE(clones(false).findings.empty());
  know("r-1", RunState::ended, minutes(16));
  ASSERT_EQ(clones(false).findings.size(), 1u);
  EXPECT_TRUE(there("r-1")) << "looking removes nothing";
  fs::create_directories(path("data/clones/r-2.removed"));
  know("r-2", RunState::running, {});
  EXPECT_EQ(clones(true).findings.size(), 1u);
  EXPECT_FALSE(there("r-1"));
}

TEST_F(LeftoversTest, AnOrphanBranchGoesOnlyWhenItsCommitsAreElsewhere) {
  clone("w-1");
  const std::string work = commit("w-1", "a", "work");
  ASSERT_EQ(forge_->collect(run_spec("w-1")).value_or("failed"), work);
  sh("cd data/rigs/rig-1/repo.git && git branch merged main && git branch kept " + work +
     " && git branch used main && git branch alone $(echo alone | git commit-tree main^{tree} -p main)");
  known_.rigs[0].branches.insert("used");
  const doctor::Report report = branches(true);
  std::vector<std::string> lines;
  for (const doctor::Finding& finding : report.findings) lines.push_back((finding.fixed ? "+" : "") + finding.subject);
  EXPECT_EQ(lines, (std::vector<std::string>{"alone", "+kept", "+merged"}));
  EXPECT_EQ(tip("refs/heads/kept") + tip("refs/heads/merged"), "");
  EXPECT_NE(tip("refs/heads/alone"), "");
  EXPECT_NE(tip("refs/heads/used"), "");
  EXPECT_NE(tip("refs/heads/main"), "");
}

/// The branch is made, then named, while somebody looks.
TEST_F(LeftoversTest, ABranchThatSomethingNamesByTheTimeOfTheRepairStays) {
  sh("git --git-dir=data/rigs/rig-1/repo.git branch convoy main");
  hands_.know = [this](const TownId&) -> expected<doctor::Known> { return known_; };
  doctor::Report report = branches(false);
  ASSERT_EQ(report.findings.size(), 1u);
  known_.rigs[0].branches.insert("convoy");
  report.repair();
  EXPECT_FALSE(report.findings[0].fixed);
  EXPECT_NE(tip("refs/heads/convoy"), "");
}

TEST_F(LeftoversTest, ABranchThatCameAfterTheListWasMadeIsNotLookedAt) {
  const doctor::Leftovers left = doctor::leftovers_in(path("data"));
  sh("git --git-dir=data/rigs/rig-1/repo.git branch convoy main");
  doctor::Report report;
  check_branches(path("data"), left, known_, kNow, {}, report);
  EXPECT_TRUE(report.findings.empty());
}

TEST_F(LeftoversTest, AConvoyWhoseBranchIsGoneIsTold) {
  known_.rigs[0].branches.insert("convoy/c/head");
  known_.rigs[0].convoys["convoy/c/head"] = kNow - minutes(10);
  EXPECT_TRUE(branches(false).findings.empty()) << "it may still be made";
  known_.rigs[0].convoys["convoy/c/head"] = kNow - minutes(11);
  ASSERT_EQ(branches(true).findings.size(), 1u);
  EXPECT_EQ(branches(true).findings[0].check, "missing_branch");
  sh("git --git-dir=data/rigs/rig-1/repo.git branch convoy/c/head main");
  EXPECT_TRUE(branches(false).findings.empty());
}

TEST_F(LeftoversTest, ARepositoryThatIsGoneIsToldAndMadeAnewOnlyWhenThatIsWanted) {
  known_.rigs[0].rig.default_branch = "main";
  const auto look = [&](bool fix) {
    doctor::Report report;
    check_repositories(path("data"), known_, {forge_.get(), nullptr, {}}, report);
    if (fix) report.repair();
    return report;
  };
  EXPECT_TRUE(look(false).findings.empty());
  fs::remove_all(path("data/rigs/rig-1/repo.git"));
  EXPECT_EQ(look(false).findings.size(), 1u);
  EXPECT_FALSE(fs::exists(path("data/rigs/rig-1/repo.git")));
  ASSERT_EQ(look(true).findings.size(), 1u);
  EXPECT_TRUE(fs::exists(path("data/rigs/rig-1/repo.git")));
  EXPECT_TRUE(look(false).findings.empty());
}

TEST_F(LeftoversTest, ABranchThatHasMovedSinceItWasLookedAtStays) {
  sh("git --git-dir=data/rigs/rig-1/repo.git branch merged main");
  doctor::Report report = branches(false);
  ASSERT_EQ(report.findings.size(), 1u);
  sh("cd data/rigs/rig-1/repo.git && git branch -f merged $(echo new | git commit-tree main^{tree} -p main)");
  report.repair();
  EXPECT_FALSE(report.findings[0].fixed);
  EXPECT_NE(tip("refs/heads/merged"), "");
}

/// A process with the environment that a run's agent has.
pid_t start_agent(const std::string& data, const std::string& run) {
  std::string mark = "TOWN_CLONE=" + data + "/clones/" + run;
  std::string program = "/bin/sleep", time = "1000";
  char* argv[] = {program.data(), time.data(), nullptr};
  char* env[] = {mark.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, env), 0);
  return pid;
}

TEST_F(LeftoversTest, AProcessOfARunThatIsOverIsEndedAndNoOther) {
  const std::string data = path("data");
  const std::map<std::string, pid_t> pids = {{"gone-1", start_agent(data, "gone-1")},
                                             {"live-1", start_agent(data, "live-1")},
                                             {"other", start_agent(data + "-of-another", "gone-1")}};
  know("live-1", RunState::running, {});
  sim::Complaints complaints;
  sim::FakeClock clock;
  sim::FakeForge forge(complaints);
  sim::FakeRuntime runtime(clock, forge, complaints, 1);
  const auto names = [&] {  // the environment is the new one once the program has been started
    std::vector<std::string> runs;
    for (const auto& [run, of] : processes_of_runs(data)) runs.push_back(run);
    return runs;
  };
  while (names() != std::vector<std::string>{"gone-1", "live-1"}) {
  }
  doctor::Report report;
  check_processes(data, doctor::leftovers_in(data), known_, kNow, {nullptr, &runtime}, report);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].subject, "gone-1");
  report.repair();
  EXPECT_TRUE(report.findings[0].fixed) << report.findings[0].what;
  EXPECT_EQ(runtime.stops().count(RunId("gone-1")), 1u) << "its keeper is asked first";
  int how = 0;
  EXPECT_EQ(::waitpid(pids.at("gone-1"), &how, 0), pids.at("gone-1"));
  EXPECT_TRUE(WIFSIGNALED(how));
  for (const char* left : {"live-1", "other"}) {
    EXPECT_EQ(::waitpid(pids.at(left), &how, WNOHANG), 0) << left;
    ::kill(pids.at(left), SIGKILL);
    ::waitpid(pids.at(left), &how, 0);
  }
}

}  // namespace
}  // namespace townd
