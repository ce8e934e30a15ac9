#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "stage.hpp"

namespace townd::test {
namespace {

TEST(Races, TwoStartsAtOnceLeaveOneProcess) {
  Stage stage;
  const auto spec = stage.script_run("x-10", "echo started $$; exec sleep 100");
  std::atomic<int> ok = 0;
  std::vector<std::thread> starters;
  for (int i = 0; i < 4; ++i)
    starters.emplace_back([&] {
      if (stage.runtime().start(spec)) ++ok;
    });
  for (auto& starter : starters) starter.join();
  EXPECT_EQ(ok, 4);
  stage.observe("x-10", [](const auto& o) { return o.sign.last_event_at.has_value(); });
  const auto log = *stage.runtime().log(RunId{"x-10"}, 0, 4096);
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST(Races, AStopDuringAStartLeavesNoProcess) {
  Stage stage;
  for (int round = 0; round < 10; ++round) {
    const auto run = "x-" + std::to_string(20 + round);
    const auto spec = stage.script_run(run, "echo $$ > pid; exec sleep 100");
    std::thread starter{[&] { (void)stage.runtime().start(spec); }};
    // A different moment of the start in each round.
    eventually([&] {
      return round == 0 || exists(stage.run_folder(run) + (round % 3 == 0   ? "/spec"
                                                           : round % 3 == 1 ? "/about"
                                                                            : "/status"));
    });
    EXPECT_TRUE(stage.runtime().stop(RunId{run}));
    starter.join();
    if (exists(stage.clone(run) + "/pid")) {
      const auto pid = read_file(stage.clone(run) + "/pid");
      EXPECT_FALSE(!pid.empty() && alive(std::stoi(pid)));
    }
    EXPECT_FALSE(KeeperLink{stage.run_folder(run)}.kept());
    EXPECT_FALSE(stage.runtime().start(spec)) << "a stopped run never starts";
  }
}

TEST(Races, AStopDuringSetUpEndsItAndTheStart) {
  Stage stage;
  auto spec = stage.script_run("x-10", "touch started");
  spec.assignment.rig.config.setup = "echo setting up; exec sleep 100";
  std::thread starter{[&] {
    const auto refused = stage.runtime().start(spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Error::Code::conflict);
  }};
  stage.observe("x-10", [](const auto& o) { return o.state == ProcessState::starting; });
  EXPECT_TRUE(stage.runtime().stop(RunId{"x-10"}));
  starter.join();
  EXPECT_FALSE(exists(stage.clone("x-10") + "/started"));
}

TEST(Readoption, ARestartedDaemonTakesUpARunningAgent) {
  Stage stage;
  ASSERT_TRUE(
      stage.runtime().start(stage.script_run("x-10", "echo ready; until [ -f go ]; do sleep 0.01; done; exit 75")));
  stage.running("x-10");
  stage.restart_daemon();
  stage.running("x-10");
  EXPECT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo never"))) << "it is already started";
  write_file(stage.clone("x-10") + "/go", "");
  EXPECT_EQ(stage.ended("x-10").reason, "task_failed");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 100), "ready\n");
}

TEST(Readoption, ARestartedDaemonNoticesAnAgentThatEndedMeanwhile) {
  Stage stage;
  ASSERT_TRUE(
      stage.runtime().start(stage.script_run("x-10", "echo ready; until [ -f go ]; do sleep 0.01; done; exit 75")));
  stage.close();
  write_file(stage.clone("x-10") + "/go", "");
  ASSERT_TRUE(eventually([&] { return !KeeperLink{stage.run_folder("x-10")}.kept(); }));
  stage.restart_daemon();
  EXPECT_EQ(stage.ended("x-10").reason, "task_failed");
}

TEST(Readoption, AnAgentSurvivesADaemonThatIsKilled) {
  Stage stage;
  const auto spec = stage.script_run("x-10", "echo ready; until [ -f go ]; do sleep 0.01; done");
  stage.close();
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    auto runtime = LocalRuntime::open(stage.settings);
    if (!runtime || !(*runtime)->start(spec)) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int how = 0;
  ::waitpid(daemon, &how, 0);
  ASSERT_TRUE(WIFSIGNALED(how));
  EXPECT_TRUE(KeeperLink{stage.run_folder("x-10")}.kept());
  stage.restart_daemon();
  stage.running("x-10");
  write_file(stage.clone("x-10") + "/go", "");
  EXPECT_EQ(stage.ended("x-10").state, ProcessState::exited);
}

TEST(Readoption, ARunWhoseKeeperWasKilledHasCrashedAndLeavesNothing) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run(
      "x-10", "(setsid sleep 100 & echo $! > pid); until [ -s pid ]; do :; done; echo ready; exec sleep 100")));
  stage.observe("x-10", [](const auto& o) { return o.sign.last_event_at.has_value(); });
  const int left = std::stoi(read_file(stage.clone("x-10") + "/pid"));
  const auto status = KeeperLink{stage.run_folder("x-10")}.status();
  ASSERT_TRUE(status);
  ::kill(static_cast<pid_t>(status->keeper_pid), SIGKILL);
  const auto end = stage.ended("x-10");
  EXPECT_EQ(end.state, ProcessState::failed);
  EXPECT_EQ(end.reason, "crashed");
  ASSERT_TRUE(stage.runtime().stop(RunId{"x-10"}));
  EXPECT_FALSE(alive(left));
}

TEST(Readoption, ADaemonOnACopyLeavesTheOriginalsAgentsAlone) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo ready; until [ -f go ]; do sleep 0.01; done")));
  stage.running("x-10");
  sh("cp -a " + stage.data() + " " + stage.folder() + "/copy");
  LocalSettings settings = stage.settings;
  settings.data = stage.folder() + "/copy";
  auto other = LocalRuntime::open(settings);
  ASSERT_TRUE(other);
  std::vector<Observation> seen;
  ASSERT_TRUE(eventually([&] { return !(seen = (*other)->observe()).empty(); }));
  EXPECT_EQ(seen.front().state, ProcessState::failed) << "in the copy it does not run";
  ASSERT_TRUE((*other)->stop(RunId{"x-10"}));
  EXPECT_FALSE(KeeperLink{settings.data + "/runs/x-10"}.open_keeper());
  EXPECT_TRUE(KeeperLink{stage.run_folder("x-10")}.open_keeper());
  write_file(stage.clone("x-10") + "/go", "");
  EXPECT_EQ(stage.ended("x-10").state, ProcessState::exited) << "by itself, in its own time";
}

/// Moved while nobody looks after it, a folder is still the agents' own.
TEST(Readoption, ADaemonOnAFolderThatWasMovedEndsWhatAKilledKeeperLeft) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo ready; exec sleep 100")));
  stage.running("x-10");
  stage.close();
  sh("mv " + stage.data() + " " + stage.folder() + "/moved");
  const KeeperLink link{stage.folder() + "/moved/runs/x-10"};
  EXPECT_TRUE(link.kept());
  EXPECT_TRUE(link.own());
  EXPECT_TRUE(link.open_keeper());
  EXPECT_TRUE(link.end(seconds(5)));
  EXPECT_FALSE(link.kept());
}

TEST(Readoption, AnotherProcessWithTheKeepersNumberIsNotTakenForIt) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "true")));
  stage.ended("x-10");
  const KeeperLink link{stage.run_folder("x-10")};
  auto status = *link.status();
  status.keeper_pid = ::getpid();
  write_file(link.folder() + "/status", run_folder::write(status));
  EXPECT_FALSE(link.open_keeper());
  EXPECT_TRUE(stage.runtime().stop(RunId{"x-10"})) << "and we are still here";
}

}  // namespace
}  // namespace townd::test
