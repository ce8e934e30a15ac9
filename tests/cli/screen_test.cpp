#include "cli/screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

namespace townd::cli {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Clipped, CutsAtTheLastColumnAndSaysSo) {
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("abcd", 3), "ab…");
  EXPECT_EQ(clipped("äöüß", 3), "äö…");
  EXPECT_EQ(clipped("abcd", 1), "…");
  EXPECT_EQ(clipped("abcd", 0), "");
}

TEST(Clipped, CountsNoColumnForColours) {
  EXPECT_EQ(clipped("\033[31mabc\033[0m", 3), "\033[31mabc\033[0m");
  EXPECT_EQ(clipped("\033[31mabcd\033[0m", 3), "\033[31mab…");
}

TEST(Framed, FillsTheScreenAndKeepsTheFootAtItsEnd) {
  EXPECT_THAT(framed({"a", "b"}, "q leaves", {4, 80}), ElementsAre("a", "b", "", "q leaves"));
  EXPECT_THAT(framed({"a", "b", "c"}, "q leaves", {4, 80}), ElementsAre("a", "b", "c", "q leaves"));
}

TEST(Framed, SaysHowMuchOfThePageIsHidden) {
  EXPECT_THAT(framed({"a", "b", "c"}, "q leaves", {3, 80}), ElementsAre("a", "b", "1 more line below; q leaves"));
  EXPECT_THAT(framed({"a", "b", "c"}, "q leaves", {2, 80}), ElementsAre("a", "2 more lines below; q leaves"));
  EXPECT_THAT(framed({"a"}, "q leaves", {1, 80}), ElementsAre("1 more line below; q leaves"));
  EXPECT_THAT(framed({"long line"}, "q leaves", {2, 5}), ElementsAre("long…", "q le…"));
}

/// A pseudo-terminal of 5 rows and 20 columns.
class ScreenTest : public testing::Test {
 protected:
  void SetUp() override {
    winsize size{5, 20, 0, 0};
    ASSERT_EQ(::openpty(&person_, &terminal_, nullptr, nullptr, &size), 0);
  }
  void TearDown() override {
    ::close(person_);
    ::close(terminal_);
  }
  /// What was written to the terminal since the last time.
  std::string seen() const {
    std::string text;
    char piece[4096];
    pollfd ready{person_, POLLIN, 0};
    while (::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
      const ssize_t got = ::read(person_, piece, sizeof piece);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }
  void type(const std::string& keys) const {
    ASSERT_EQ(::write(person_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  tcflag_t modes() const {
    termios now{};
    ::tcgetattr(terminal_, &now);
    return now.c_lflag & (ICANON | ECHO);
  }

  int person_ = -1;
  int terminal_ = -1;
};

TEST_F(ScreenTest, TakesTheTerminalOverAndGivesItBack) {
  const tcflag_t before = modes();
  {
    const Screen screen(terminal_, terminal_);
    EXPECT_THAT(seen(), HasSubstr("\033[?1049h"));
    EXPECT_EQ(modes(), tcflag_t{0}) << "keys are read one by one and not shown";
    EXPECT_EQ(screen.size().rows, 5U);
    EXPECT_EQ(screen.size().columns, 20U);
  }
  EXPECT_THAT(seen(), EndsWith("\033[?1049l"));
  EXPECT_EQ(modes(), before);
}

TEST_F(ScreenTest, WritesOnlyTheLinesThatAreOthers) {
  Screen screen(terminal_, terminal_);
  screen.show({"one", "two", "three"});
  EXPECT_THAT(seen(), HasSubstr("three"));
  screen.show({"one", "2", "three"});
  EXPECT_EQ(seen(), "\033[2;1H2\033[0m\033[K");
  screen.show({"one", "2"});
  EXPECT_EQ(seen(), "\033[3;1H\033[K");
  screen.show({"one", "2"});
  EXPECT_EQ(seen(), "");
}

TEST_F(ScreenTest, DrawsEverythingAgainWhenItsSizeChanges) {
  Screen screen(terminal_, terminal_);
  screen.show({"one"});
  seen();
  EXPECT_FALSE(screen.resized());
  const winsize size{7, 30, 0, 0};
  ::ioctl(person_, TIOCSWINSZ, &size);
  ::raise(SIGWINCH);  // it comes by itself only to those whose own terminal this is
  EXPECT_TRUE(screen.resized());
  EXPECT_FALSE(screen.resized());
  EXPECT_EQ(screen.size().columns, 30U);
  screen.show({"one"});
  EXPECT_THAT(seen(), HasSubstr("one"));
}

TEST_F(ScreenTest, IsLeftByQAndByNoOtherKey) {
  Screen screen(terminal_, terminal_);
  EXPECT_FALSE(screen.asked_to_leave());
  type("x\033[A ");
  EXPECT_FALSE(screen.asked_to_leave());
  type("q");
  EXPECT_TRUE(screen.asked_to_leave());
}

TEST_F(ScreenTest, GivesTheTerminalBackWhenASignalEndsTheProgram) {
  const tcflag_t before = modes();
  const pid_t child = ::fork();
  if (child == 0) {
    const Screen screen(terminal_, terminal_);
    ::raise(SIGINT);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << "whoever started it sees that it was interrupted";
  EXPECT_THAT(seen(), EndsWith("\033[?1049l"));
  EXPECT_EQ(modes(), before);
}

}  // namespace
}  // namespace townd::cli
