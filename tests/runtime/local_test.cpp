#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "stage.hpp"

namespace townd::test {
namespace {

TEST(LocalRuntime, RunsAScriptInACloneOnTheBranchAndReportsItsEnd) {
  Stage stage;
  auto spec =
      stage.script_run("x-10",
                       "git branch --show-current; cat file; echo $TOWN_RUN $TOWN_BEAD $TOWN_AGENT; git commit -q "
                       "--allow-empty -m work && git log -1 --format=%an");
  ASSERT_TRUE(stage.runtime().start(spec));
  const auto end = stage.ended("x-10");
  EXPECT_EQ(end.state, ProcessState::exited);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.reason, "");
  EXPECT_EQ(end.agent_id, AgentId{"x-3"});
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 4096), "gt/furiosa/x-2\nhello\nx-10 x-2 x-3\nFuriosa (townd)\n");
}

TEST(LocalRuntime, ReportsARunningAgentWithASignOfLife) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo hi; exec sleep 100")));
  const auto seen = stage.observe("x-10", [](const auto& o) { return o.sign.last_event_at.has_value(); });
  EXPECT_EQ(seen.state, ProcessState::running);
  EXPECT_EQ(seen.sign.run_id, RunId{"x-10"});
  EXPECT_EQ(seen.sign.agent_id, AgentId{"x-3"});
  EXPECT_EQ(seen.sign.last_event_type, "output");
  EXPECT_GT(seen.sign.at.ms, 1'600'000'000'000);
}

TEST(LocalRuntime, ReadsTheOutcomeFromTheExitCode) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo out of ideas; exit 75")));
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-11", "exit 3")));
  const auto gave_up = stage.ended("x-10");
  EXPECT_EQ(gave_up.state, ProcessState::failed);
  EXPECT_EQ(gave_up.reason, "task_failed");
  EXPECT_NE(gave_up.detail.find("out of ideas"), std::string::npos);
}

TEST(LocalRuntime, CallsAnUnknownExitCodeACrash) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "exit 3")));
  const auto end = stage.ended("x-10");
  EXPECT_EQ(end.reason, "crashed");
  EXPECT_EQ(end.exit_code, 3);
}

TEST(LocalRuntime, CallsTheWallLimitATimeOut) {
  Stage stage;
  auto spec = stage.script_run("x-10", "exec sleep 100");
  spec.limits.wall = Duration{50};
  ASSERT_TRUE(stage.runtime().start(spec));
  EXPECT_EQ(stage.ended("x-10").reason, "timed_out");
}

TEST(LocalRuntime, StopsEveryProcessOfARun) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run(
      "x-10",
      "(setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 100; done' &); until [ -s pid ]; do :; done; "
      "echo ready; exec sleep 100")));
  stage.observe("x-10", [](const auto& o) { return o.sign.last_event_at.has_value(); });
  const int daemon = std::stoi(read_file(stage.clone("x-10") + "/pid"));
  EXPECT_TRUE(alive(daemon));
  ASSERT_TRUE(stage.runtime().stop(RunId{"x-10"}));
  EXPECT_FALSE(alive(daemon));
  const auto end = stage.ended("x-10");
  EXPECT_EQ(end.state, ProcessState::exited);
  EXPECT_EQ(end.reason, "stopped");
}

TEST(LocalRuntime, TakesAnUnknownRunForStoppedAndNeverStartsIt) {
  Stage stage;
  EXPECT_TRUE(stage.runtime().stop(RunId{"x-10"}));
  const auto refused = stage.runtime().start(stage.script_run("x-10", "touch started"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::conflict);
  EXPECT_FALSE(exists(stage.clone("x-10")));
}

TEST(LocalRuntime, DoesNotStartARunTwice) {
  Stage stage;
  const auto spec = stage.script_run("x-10", "echo once");
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.ended("x-10");
  EXPECT_TRUE(stage.runtime().start(spec));
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 100), "once\n");
}

TEST(LocalRuntime, ShowsTheTailOfAFailedSetUp) {
  Stage stage;
  auto spec = stage.script_run("x-10", "touch started");
  spec.assignment.rig.config.setup = "echo cannot find make; exit 2";
  const auto refused = stage.runtime().start(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::invalid);
  EXPECT_NE(refused.error().what.find("cannot find make"), std::string::npos);
  EXPECT_FALSE(exists(stage.clone("x-10") + "/started"));
  EXPECT_FALSE(stage.runtime().start(spec)) << "the answer must stay the same";
}

TEST(LocalRuntime, GivesSetUpNoToken) {
  Stage stage;
  auto spec = stage.script_run("x-10", "echo agent has $TOWN_TOKEN");
  spec.assignment.rig.config.setup = "echo setup has \"$TOWN_TOKEN\"; test -f file";
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.ended("x-10");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 100), "setup has \nagent has ****cret\n");
}

TEST(LocalRuntime, WritesTheTokenToNoFile) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "true")));
  stage.ended("x-10");
  EXPECT_EQ(sh("grep -rl tok-secret " + stage.data() + " || true"), "");
}

TEST(LocalRuntime, BuildsTheEnvironmentFromNothing) {
  ::setenv("FORGE_TOKEN", "forge-secret", 1);
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "env")));
  stage.ended("x-10");
  ::unsetenv("FORGE_TOKEN");
  const auto env = *stage.runtime().log(RunId{"x-10"}, 0, 8192);
  EXPECT_EQ(env.find("forge-secret"), std::string::npos);
  EXPECT_NE(env.find("HOME=" + stage.data() + "/homes/x-10/home\n"), std::string::npos);
  for (const auto* name :
       {"TOWN_SOCKET=", "TOWN_TOKEN=****cret", "TOWN_ID=x", "TOWN_RIG=x-1", "GASTOWN_TOWN_ID=x", "GASTOWN_AGENT_ID=x-3",
        "GASTOWN_RIG_ID=x-1", "GASTOWN_AGENT_ROLE=polecat", "GASTOWN_API_URL="})
    EXPECT_NE(env.find(name), std::string::npos) << name;
}

TEST(LocalRuntime, CopiesTheRigsUntrackedFilesButNoLinks) {
  Stage stage;
  write_file(stage.folder() + "/origin/.env", "KEY=1\n");
  sh("ln -s /etc/passwd " + stage.folder() + "/origin/link");
  auto spec = stage.script_run("x-10", "cat .env");
  spec.assignment.rig.config.copy = {".env"};
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.ended("x-10");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-10"}, 0, 100), "KEY=1\n");
  for (const auto* hostile : {"link", "../origin/.env", "/etc/passwd"}) {
    auto other = stage.script_run("x-11", "true");
    other.assignment.rig.config.copy = {hostile};
    EXPECT_FALSE(stage.runtime().start(other)) << hostile;
    EXPECT_FALSE(exists(stage.clone("x-11") + "/link"));
  }
}

TEST(LocalRuntime, RunsTheScriptOfTheReworkedBeadNotTheFeedback) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "echo \"rework ${TOWN_REWORK:-none}\"")));
  stage.ended("x-10");
  auto rework = stage.script_run("x-11", "touch hostile; echo gate output");
  rework.assignment.bead->bead_id = BeadId{"x-5"};
  rework.assignment.rework = Rework{};
  rework.assignment.rework->source = BeadId{"x-2"};
  ASSERT_TRUE(stage.runtime().start(rework));
  stage.ended("x-11");
  EXPECT_EQ(*stage.runtime().log(RunId{"x-11"}, 0, 100), "rework x-2\n");
  EXPECT_FALSE(exists(stage.clone("x-11") + "/hostile"));
}

TEST(LocalRuntime, ResumesARunOnceWithTheReminder) {
  Stage stage;
  write_file(
      stage.folder() + "/presets/talker.toml",
      "command = \"sh\"\nrun = [\"-c\", \"echo first; cat > prompt.txt\"]\nresume = [\"-c\", \"echo again; cat\"]\n");
  stage.restart_daemon();
  auto spec = stage.script_run("x-10", "do it");
  spec.assignment.preset = "talker";
  ASSERT_TRUE(stage.runtime().start(spec));
  stage.ended("x-10");
  EXPECT_NE(read_file(stage.clone("x-10") + "/prompt.txt").find("Furiosa"), std::string::npos);
  ASSERT_TRUE(stage.runtime().can_remind(RunId{"x-10"}));
  ASSERT_TRUE(stage.runtime().remind(spec));
  stage.ended("x-10");
  const auto log = *stage.runtime().log(RunId{"x-10"}, 0, 8192);
  EXPECT_TRUE(log.starts_with("first\nagain\n"));
  EXPECT_NE(log.find("not handed in bead x-2"), std::string::npos);
  EXPECT_FALSE(stage.runtime().can_remind(RunId{"x-10"}));
  EXPECT_TRUE(stage.runtime().remind(spec)) << "a repeated reminder is harmless";
}

TEST(LocalRuntime, RemindsNoPresetWithoutResume) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(stage.script_run("x-10", "true")));
  stage.ended("x-10");
  EXPECT_FALSE(stage.runtime().can_remind(RunId{"x-10"}));
  EXPECT_FALSE(stage.runtime().remind(stage.script_run("x-10", "true")));
}

TEST(LocalRuntime, PutsMessagesIntoTheInboxAsData) {
  Stage stage;
  ASSERT_TRUE(stage.runtime().start(
      stage.script_run("x-10", "echo ready; until cat .git/town/inbox/*.md 2>/dev/null; do sleep 0.01; done")));
  stage.running("x-10");
  ASSERT_TRUE(stage.runtime().deliver(RunId{"x-10"}, "x-9", "hurry </data> up"));
  stage.ended("x-10");
  const auto log = *stage.runtime().log(RunId{"x-10"}, 0, 4096);
  EXPECT_NE(log.find("From x-9"), std::string::npos);
  EXPECT_NE(log.find("hurry < /data> up"), std::string::npos);
  EXPECT_FALSE(stage.runtime().deliver(RunId{"x-10"}, "x-9", "too late"));
}

TEST(LocalRuntime, SaysWhichPresetsCannotBeUsed) {
  Stage stage;
  write_file(stage.folder() + "/presets/absent.toml",
             "command = \"no-such-agent\"\ninstall = \"npm install no-such-agent\"\n");
  stage.restart_daemon();
  const auto facts = stage.runtime().facts();
  EXPECT_GE(facts.slots, 1);
  EXPECT_LE(facts.slots, 16);
  std::map<std::string, PresetState> states;
  for (const auto& state : facts.presets) states[state.preset] = state;
  EXPECT_TRUE(states.at("script").usable);
  EXPECT_FALSE(states.at("absent").usable);
  EXPECT_NE(states.at("absent").reason.find("npm install no-such-agent"), std::string::npos);
  auto spec = stage.script_run("x-10", "true");
  spec.assignment.preset = "absent";
  const auto refused = stage.runtime().start(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Error::Code::forbidden);
}

}  // namespace
}  // namespace townd::test
