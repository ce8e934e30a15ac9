#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>
#include <string>

#include "scratch_folder.hpp"
#include "scripted_history.hpp"
#include "store/sqlite_store.hpp"

/// A real process that writes to a real disk and is killed. `store_writer` plays the scripted history and says on its
/// standard output how far it was acknowledged.
namespace townd {
namespace {

class WriterProcess {
 public:
  explicit WriterProcess(const std::filesystem::path& folder) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = STORE_WRITER;
    std::string argument = folder.string();
    std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
    if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~WriterProcess() {
    kill();
    ::close(output_);
  }
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;

  /// Reads on until `lines` more were said.
  void hear(int lines) {
    while (lines > 0) {
      char c = 0;
      if (::read(output_, &c, 1) != 1) return;
      said_ += c;
      if (c == '\n') --lines;
    }
  }
  /// -9, then what it had still said.
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    hear(1'000'000);
  }
  [[nodiscard]] Progress last_said() const {
    Progress progress;
    std::size_t end = said_.rfind('\n');
    if (end == std::string::npos) return progress;
    const std::size_t before = said_.rfind('\n', end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::string line = said_.substr(begin, end - begin);
    progress.a = std::stoll(line);
    progress.b = std::stoll(line.substr(line.find(' ')));
    return progress;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string said_;
};

TEST(Crash, AWriterKilledAtAnyMomentKeepsAllThatItWasAnswered) {
  const ScratchFolder folder;
  std::mt19937 random(20'261'122);
  Progress before;
  for (int life = 0; life < 15; ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    Progress said;
    {
      WriterProcess writer(folder.path());
      writer.hear(1 + static_cast<int>(random() % 12));
      writer.kill();
      said = writer.last_said();
    }
    EXPECT_GT(said.a, before.a) << "it was meant to get somewhere";
    const auto store = SqliteStore::open(folder.path());
    ASSERT_TRUE(store) << store.error().what;
    const Progress found = found_in(**store);
    EXPECT_GE(found.a, said.a);
    EXPECT_GE(found.b, said.b);
    ASSERT_FALSE(HasFailure());
    before = found;
  }
}

}  // namespace
}  // namespace townd
