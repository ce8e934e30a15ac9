#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "shim/redactor.hpp"
#include "stage.hpp"

namespace townd::test {
namespace {

run_folder::Spec shell(const std::string& script) {
  run_folder::Spec spec;
  spec.command = {"/bin/sh", "-c", script};
  spec.cgroups = false;
  spec.grace_ms = 300;
  return spec;
}

TEST(Redactor, TakesSecretsOutHoweverTheyAreCut) {
  const std::string secret = "0123456789abcdef";
  const std::string said = "token 0123456789abcdef, and 0123 alone, 00123456789abcdef!";
  const std::string safe = "token ****cdef, and 0123 alone, 0****cdef!";
  for (std::size_t cut = 1; cut <= said.size(); ++cut) {
    townd::shim::Redactor redactor{std::vector<std::string>{secret}};
    std::string out;
    for (std::size_t at = 0; at < said.size(); at += cut) out += redactor.take(std::string_view{said}.substr(at, cut));
    EXPECT_EQ(out + redactor.rest(), safe) << cut;
  }
}

TEST(Redactor, GivesBackTheBeginningOfASecretThatCameToNothing) {
  townd::shim::Redactor redactor{std::vector<std::string>{"geheimnis"}};
  EXPECT_EQ(redactor.take("das geheim"), "das ");
  EXPECT_EQ(redactor.rest(), "geheim");
}

TEST(Redactor, KnowsSecretsByTheNamesOfTheirVariables) {
  const char* environment[] = {"HOME=/home/somebody", "TOWN_TOKEN=0123456789abcdef", "OPENAI_API_KEY=sk-verysecret",
                               "SHORT_KEY=yes", nullptr};
  townd::shim::Redactor redactor{environment};
  EXPECT_EQ(redactor.take("/home/somebody 0123456789abcdef sk-verysecret yes\n"),
            "/home/somebody ****cdef ****cret yes\n");
}

TEST(Shim, WritesTheExitCodeOfItsProgram) {
  Shim shim{shell("echo out; echo err >&2; exit 7")};
  shim.start();
  const auto status = shim.wait();
  EXPECT_EQ(status.state, "exited");
  EXPECT_EQ(status.code, 7);
  EXPECT_EQ(status.signal, 0);
  EXPECT_EQ(status.ended_by, "");
  EXPECT_EQ(shim.log(), "out\nerr\n");
}

TEST(Shim, WritesTheSignalThatEndedItsProgram) {
  Shim shim{shell("kill -SEGV $$")};
  shim.start();
  EXPECT_EQ(shim.wait().signal, SIGSEGV);
}

TEST(Shim, SaysWhyAProgramCouldNotBeStarted) {
  auto spec = shell("");
  spec.command = {"/nonexistent/program"};
  Shim shim{spec};
  shim.start();
  EXPECT_EQ(shim.wait().code, 127);
  EXPECT_NE(shim.log().find("/nonexistent/program: No such file"), std::string::npos);
}

TEST(Shim, GivesTheInputAndKeepsItFromBeingWritten) {
  Shim shim{shell("cat; echo hostile > /proc/self/fd/0 || echo refused"), "the prompt\n"};
  shim.start();
  shim.wait();
  EXPECT_NE(shim.log().find("the prompt\n"), std::string::npos);
  EXPECT_NE(shim.log().find("refused\n"), std::string::npos);
  EXPECT_EQ(read_file(shim.folder() + "/input"), "the prompt\n");
}

TEST(Shim, EndsADaemonThatWasDoubleForkedIntoASessionOfItsOwn) {
  Shim shim{
      shell("(setsid sh -c 'trap \"\" TERM; echo $$ > daemon.pid; while :; do sleep 100; done' &) ; "
            "until [ -s daemon.pid ]; do :; done; echo ready; exec sleep 100")};
  shim.start();
  ASSERT_TRUE(eventually([&] { return shim.log() == "ready\n"; }));
  const int daemon = std::stoi(read_file(shim.folder() + "/daemon.pid"));
  EXPECT_TRUE(alive(daemon));
  shim.signal(SIGTERM);
  EXPECT_EQ(shim.wait().ended_by, "stop");
  EXPECT_FALSE(alive(daemon));
}

TEST(Shim, EndsWhatItsProgramLeftBehind) {
  Shim shim{shell("(setsid sleep 100 & echo $! > left.pid) ; until [ -s left.pid ]; do :; done")};
  shim.start();
  EXPECT_EQ(shim.wait().code, 0);
  EXPECT_FALSE(alive(std::stoi(read_file(shim.folder() + "/left.pid"))));
}

TEST(Shim, LetsItsProgramEndByItselfWithinTheGrace) {
  auto spec = shell("trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  spec.grace_ms = 30'000;
  Shim shim{spec};
  shim.start();
  ASSERT_TRUE(eventually([&] { return shim.log() == "ready\n"; }));
  shim.signal(SIGTERM);
  const auto status = shim.wait();
  EXPECT_EQ(status.ended_by, "stop");
  EXPECT_TRUE(shim.log().ends_with("saved\n")) << shim.log();
}

TEST(Shim, HoldsTheWallLimit) {
  auto spec = shell("exec sleep 100");
  spec.wall_ms = 50;
  Shim shim{spec};
  shim.start();
  EXPECT_EQ(shim.wait().ended_by, "wall");
}

TEST(Shim, HoldsTheMemoryLimitBySampling) {
  // The shell itself holds the memory, so nothing but a shell is needed.
  auto spec = shell("x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo full; sleep 100");
  spec.memory_bytes = 30 << 20;
  Shim shim{spec};
  shim.start();
  EXPECT_EQ(shim.wait().ended_by, "memory");
}

TEST(Shim, HoldsTheProcessLimitBySampling) {
  auto spec = shell("i=0; while [ $i -lt 30 ]; do sleep 100 & i=$((i+1)); done; wait");
  spec.processes = 10;
  Shim shim{spec};
  shim.start();
  EXPECT_EQ(shim.wait().ended_by, "processes");
}

TEST(Shim, LeavesProcessesWithinTheirLimitsAlone) {
  auto spec = shell("sleep 0.01 & sleep 0.01 & wait; echo done");
  spec.processes = 10;
  spec.memory_bytes = 1 << 30;
  Shim shim{spec};
  shim.start();
  EXPECT_EQ(shim.wait().ended_by, "");
  EXPECT_EQ(shim.log(), "done\n");
}

TEST(Shim, KeepsTheLogWithinItsBoundAndItsNewestBytes) {
  auto spec = shell("yes 123456789 | head -c 1000000; echo last");
  spec.log_bytes = 100'000;
  Shim shim{spec};
  shim.start();
  shim.wait();
  const KeeperLink link{shim.folder()};
  EXPECT_EQ(link.log_end(), 1'000'005);
  const auto part = link.log(0, 1 << 20);
  EXPECT_LE(part.bytes.size(), 100'000u);
  EXPECT_GE(part.bytes.size(), 50'000u);
  EXPECT_EQ(part.from + static_cast<std::int64_t>(part.bytes.size()), 1'000'005);
  EXPECT_TRUE(part.bytes.ends_with("123456789\nlast\n"));
  EXPECT_EQ(link.log(1'000'000, 10).bytes, "last\n");
}

TEST(Shim, DoesNotTakeARepeatedErrorForActivity) {
  Shim shim{shell("echo working; for i in 1 2 3 4 5; do echo \"error: reconnecting, try $i of 5\"; done")};
  shim.start();
  shim.wait();
  const auto activity = run_folder::read_activity(read_file(shim.folder() + "/activity"));
  ASSERT_TRUE(activity);
  EXPECT_EQ(activity->lines, 2);
}

TEST(Shim, TakesRepeatedOrdinaryLinesForActivity) {
  Shim shim{shell("for i in 1 2 3; do echo compiling; done")};
  shim.start();
  shim.wait();
  EXPECT_EQ(run_folder::read_activity(read_file(shim.folder() + "/activity"))->lines, 3);
}

TEST(Shim, DoesNotStartARunWithATombstone) {
  Shim shim{shell("touch started")};
  write_file(shim.folder() + "/tombstone", "");
  shim.start();
  shim.wait();
  EXPECT_EQ(shim.exit_code, 4);
  EXPECT_FALSE(exists(shim.folder() + "/started"));
}

TEST(Shim, GivesWayToTheKeeperThatIsThere) {
  Shim shim{shell("echo ready; exec sleep 100")};
  shim.start();
  ASSERT_TRUE(eventually([&] { return shim.log() == "ready\n"; }));
  EXPECT_NE(std::system((std::string{TOWND_SHIM} + " " + shim.folder()).c_str()), 0);
  EXPECT_EQ(shim.log(), "ready\n");
}

TEST(Shim, DoesNotRunTheProgramWhenSetUpFails) {
  auto spec = shell("touch started");
  spec.setup = {"/bin/sh", "-c", "echo no compiler; exit 3"};
  spec.setup_ms = 10'000;
  Shim shim{spec};
  shim.start();
  const auto status = shim.wait();
  EXPECT_EQ(status.state, "setup_failed");
  EXPECT_EQ(status.code, 3);
  EXPECT_FALSE(exists(shim.folder() + "/started"));
  EXPECT_EQ(shim.log(), "no compiler\n");
}

TEST(Shim, RefusesASpecOfAnotherVersion) {
  Shim shim{shell("true")};
  write_file(shim.folder() + "/spec", "townd-run/99\n");
  shim.start();
  shim.wait();
  EXPECT_EQ(shim.exit_code, 5);
}

TEST(RunFolder, ReadsBackAnyBytes) {
  run_folder::Spec spec;
  spec.run_id = "x-1";
  spec.command = {"a\nb", "", std::string{"\0c", 2}};
  spec.input = "input";
  const auto read = run_folder::read_spec(run_folder::write(spec));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->command, spec.command);
  const auto text = run_folder::write(spec);
  EXPECT_FALSE(run_folder::read_spec(std::string_view{text}.substr(0, text.size() - 3)));
}

}  // namespace
}  // namespace townd::test
