#include "observe/crash_note.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <stdexcept>
#include <thread>

#include "store/scratch_folder.hpp"

namespace townd {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // a sanitizer has words of its own for these ends
#else
constexpr bool kSanitized = false;
#endif

class CrashNote : public testing::Test {
 protected:
  /// A process that notes its crashes and does this; the signal that ended it.
  int ended_by(const std::function<void()>& deed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      ::freopen("/dev/null", "w", stderr);
      note_crashes(file_, "0.1.0");
      deed();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  const ScratchFolder folder_;
  const std::string file_ = (folder_.path() / "crash").string();
};

TEST_F(CrashNote, is_left_by_each_fatal_signal_and_read_once) {
  if (kSanitized) GTEST_SKIP();
  for (const auto& [number, name] : {std::pair{SIGSEGV, "SIGSEGV"},
                                     {SIGABRT, "SIGABRT"},
                                     {SIGBUS, "SIGBUS"},
                                     {SIGFPE, "SIGFPE"},
                                     {SIGILL, "SIGILL"}}) {
    EXPECT_EQ(ended_by([number = number] { ::raise(number); }), number);
    const auto alarm = take_crash_note(file_);
    ASSERT_TRUE(alarm) << name;
    EXPECT_EQ(alarm->kind, "crash");
    EXPECT_EQ(alarm->subject, name);
    EXPECT_THAT(
        alarm->message,
        ContainsRegex("^townd 0.1.0 \\(pid [0-9]+\\) was ended by SIG[A-Z]+ at 20.*Z; addresses:( 0x[0-9a-f]+)+$"));
    EXPECT_FALSE(take_crash_note(file_));
  }
}

TEST_F(CrashNote, is_left_when_memory_that_is_not_there_is_read_on_any_thread) {
  if (kSanitized) GTEST_SKIP();
  const auto deed = [] {
    std::thread([] {
      volatile int* nowhere = nullptr;
      *nowhere = 1;
    }).join();
  };
  EXPECT_EQ(ended_by(deed), SIGSEGV);
  EXPECT_TRUE(take_crash_note(file_));
}

int endless(int depth) {
  volatile char space[4096];
  space[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : endless(depth + 1) + space[0];
}

TEST_F(CrashNote, is_left_when_the_stack_is_used_up) {
  if (kSanitized) GTEST_SKIP();
  EXPECT_EQ(ended_by([] { ::_exit(endless(0)); }), SIGSEGV);
  EXPECT_TRUE(take_crash_note(file_));
}

TEST_F(CrashNote, says_what_nobody_caught) {
  const auto deed = [] { std::thread([] { throw std::runtime_error("no such\nluck"); }).join(); };
  EXPECT_EQ(ended_by(deed), SIGABRT);
  EXPECT_THAT(take_crash_note(file_)->message, HasSubstr(", nobody caught: no such luck"));
}

TEST_F(CrashNote, is_not_left_by_an_orderly_end) {
  EXPECT_EQ(ended_by([] {}), 0);
  EXPECT_FALSE(take_crash_note(file_));
}

TEST_F(CrashNote, of_nonsense_is_an_alarm_all_the_same) {
  std::ofstream(file_) << std::string(100'000, 'x') << "\nsignal";
  const auto alarm = take_crash_note(file_);
  ASSERT_TRUE(alarm);
  EXPECT_LT(alarm->message.size(), 10'000u);
}

}  // namespace
}  // namespace townd
