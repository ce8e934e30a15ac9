#include "git/spawn.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

namespace townd {
namespace {

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  command.env = {"PATH=" + own_path()};
  return command;
}

TEST(Spawn, AnswersOutputErrorsAndExitCode) {
  const auto finished = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->out, "out\n");
  EXPECT_EQ(finished->err, "err\n");
  EXPECT_EQ(finished->exit_code, 3);
  EXPECT_FALSE(finished->ok());
}

TEST(Spawn, HandsOverItsInputAlsoWhenNobodyReadsIt) {
  Command command = shell("cat");
  command.input.assign(300'000, 'x');
  EXPECT_EQ(run(command)->out.size(), 300'000U);
  command.argv = {"true"};
  EXPECT_TRUE(run(command)->ok());
}

TEST(Spawn, InheritsNeitherEnvironmentNorDescriptors) {
  ::setenv("TOWND_SECRET", "s3cret", 1);
  const int leaked = ::open("/dev/null", O_RDONLY);  // not close-on-exec, as a library might open one
  const auto finished = run(shell("env; ls /proc/self/fd | wc -l"));
  ::close(leaked);
  ::unsetenv("TOWND_SECRET");
  EXPECT_EQ(finished->out.find("s3cret"), std::string::npos);
  EXPECT_TRUE(finished->out.ends_with("4\n")) << finished->out;  // its three streams and the folder it lists
}

TEST(Spawn, KeepsTheHeadOrTheTailOfALongOutput) {
  Command command = shell("seq 1 100000");
  command.output_limit = 10;
  auto finished = run(command);
  EXPECT_EQ(finished->out, "1\n2\n3\n4\n5\n");
  EXPECT_TRUE(finished->truncated);
  command.keep = Keep::tail;
  EXPECT_EQ(run(command)->out, "99\n100000\n");
  command = shell("printf 0123456789");
  command.output_limit = 10;
  EXPECT_FALSE(run(command)->truncated);
}

TEST(Spawn, KillsTheWholeGroupAtTheTimeOut) {
  Command command = shell("sleep 1000 & echo $!; sleep 1000");
  command.timeout = std::chrono::milliseconds(100);
  const auto finished = run(command);
  EXPECT_TRUE(finished->timed_out);
  EXPECT_FALSE(finished->ok());
  // It was killed, but is nobody's child here: its end is only seen from outside.
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(finished->out), 0));
  if (process < 0) return;  // gone already
  pollfd end{process, POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 10'000), 1) << "it lives";
  ::close(process);
}

TEST(Spawn, IsNotHeldByAChildThatKeepsThePipe) {
  const auto finished = run(shell("echo here; sleep 1000 &"));
  EXPECT_EQ(finished->out, "here\n");
  EXPECT_LT(finished->took, std::chrono::seconds(10));
}

TEST(Spawn, SaysThatAProgramIsMissing) {
  Command command = shell("");
  command.argv = {"no-such-program-anywhere"};
  const auto finished = run(command);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Error::Code::not_found);
  EXPECT_NE(finished.error().what.find("no-such-program-anywhere"), std::string::npos);
}

TEST(Spawn, SaysThatAFolderIsMissing) {
  Command command = shell("true");
  command.cwd = "/no/such/folder";
  EXPECT_EQ(run(command).error().code, Error::Code::not_found);
}

TEST(Spawn, StopsAProgramThatWritesAFileBeyondTheLimit) {
  // The limit is set just after the program has begun.
  Command command = shell("while [ $(ulimit -f) = unlimited ]; do :; done; exec head -c 1000000 /dev/zero > \"$FILE\"");
  const std::string file = ::testing::TempDir() + "townd-spawn-" + std::to_string(::getpid());
  command.env.push_back("FILE=" + file);
  command.file_size_limit = 100'000;
  const auto finished = run(command);
  EXPECT_FALSE(finished->ok());
  std::ifstream written(file, std::ios::ate | std::ios::binary);
  EXPECT_LE(written.tellg(), 100'000);
  ::unlink(file.c_str());
}

TEST(Spawn, LooksForProgramsInAbsoluteFoldersOnly) {
  EXPECT_EQ(find_program("sh", "/bin"), "/bin/sh");
  EXPECT_EQ(find_program("sh", "bin:.::/bin"), "/bin/sh");
  EXPECT_EQ(find_program("/bin/sh", ""), "/bin/sh");
  EXPECT_EQ(find_program("/etc/passwd", ""), "");
  EXPECT_EQ(find_program("sh", "/nowhere"), "");
}

}  // namespace
}  // namespace townd
