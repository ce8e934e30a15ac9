#include "observe/alert_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "store/scratch_folder.hpp"

namespace townd {
namespace {

using testing::HasSubstr;
using testing::Not;

class AlertCommand : public testing::Test {
 protected:
  AlertCommand() {
    Alarm alarm;
    alarm.kind = "escalation";
    alarm.message = "$(touch nothing); `true`";
    alert_ = make_alert(alarm, Instant{1'700'000'000'000}, "", "node");
  }
  std::string file(const char* name) const { return (folder_.path() / name).string(); }
  std::string text_of(const char* name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Sent shell(const std::string& script, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return run_alert_command({"/bin/sh", "-c", script}, alert_, log_, timeout);
  }

  const ScratchFolder folder_;
  Log log_{LogLevel::debug};
  Alert alert_;
};

TEST_F(AlertCommand, reads_the_alert_and_gets_an_environment_made_from_nothing) {
  ::setenv("TOWND_TEST_SECRET", "word", 1);
  const Sent sent = shell("cat > " + file("in") + "; env > " + file("env") + "; ls /proc/self/fd > " + file("fd"));
  ::unsetenv("TOWND_TEST_SECRET");
  EXPECT_EQ(sent.fate, Sent::Fate::taken) << sent.why;
  EXPECT_EQ(text_of("in"), to_text(alert_) + "\n");
  EXPECT_THAT(text_of("env"), HasSubstr("TOWND_ALERT=" + alert_.id));
  EXPECT_THAT(text_of("env"), HasSubstr("LANG=C.UTF-8"));
  EXPECT_THAT(text_of("env"), Not(HasSubstr("TOWND_TEST_SECRET")));
  EXPECT_THAT(text_of("fd"), Not(HasSubstr("5")));
}

TEST_F(AlertCommand, is_no_shell_line) {
  const std::string name = file("a b; touch x $(true)");
  EXPECT_EQ(run_alert_command({"/usr/bin/touch", name}, alert_, log_).fate, Sent::Fate::taken);
  EXPECT_TRUE(std::filesystem::exists(name));
}

TEST_F(AlertCommand, that_fails_or_is_not_there_is_tried_again_later) {
  EXPECT_EQ(shell("exit 3").why, "it ended with 3");
  EXPECT_EQ(shell("exit 3").fate, Sent::Fate::later);
  EXPECT_EQ(shell("kill -9 $$").why, "it was ended by signal 9");
  EXPECT_EQ(run_alert_command({"/nonexistent/program"}, alert_, log_).fate, Sent::Fate::later);
}

TEST_F(AlertCommand, that_takes_too_long_is_ended_with_all_that_it_started) {
  const auto begun = std::chrono::steady_clock::now();
  const Sent sent = shell("setsid sh -c 'echo $$ > " + file("far") + "; sleep 1000' & sleep 1000 & echo $! > " +
                              file("near") + "; while ! [ -s " + file("far") + " ]; do :; done; wait",
                          std::chrono::milliseconds(1500));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_EQ(sent.fate, Sent::Fate::later);
  EXPECT_THAT(sent.why, HasSubstr("longer"));
  for (const char* name : {"near", "far"}) {
    ASSERT_NE(text_of(name), "") << name;
    std::ifstream status("/proc/" + std::to_string(std::stoi(text_of(name))) + "/stat");
    const std::string line{std::istreambuf_iterator<char>(status), {}};
    EXPECT_TRUE(line.empty() || line.find(") Z") != std::string::npos) << name << " lives: " << line;
  }
}

TEST_F(AlertCommand, says_what_it_has_to_say_at_debug_only) {
  testing::internal::CaptureStderr();
  shell("echo some words; echo others >&2");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("some words\\nothers"));
  Log quiet(LogLevel::info);
  testing::internal::CaptureStderr();
  run_alert_command({"/bin/echo", "some words"}, alert_, quiet);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace townd
