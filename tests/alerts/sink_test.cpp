#include "observe/sink.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "store/scratch_folder.hpp"

namespace townd {
namespace {

constexpr Instant kNow{1'700'000'000'000};

Alert numbered(int number) {
  Alarm alarm;
  alarm.kind = "escalation";
  alarm.subject = std::to_string(number);
  return make_alert(alarm, kNow, "", "node");
}

const Sent kTaken{};
const Sent kAway{Sent::Fate::later, "nobody there", {}, false};
const Sent kBroken{Sent::Fate::later, "status 500", {}, true};
const Sent kRefused{Sent::Fate::refused, "status 400", {}, true};

class SinkTest : public testing::Test {
 protected:
  std::unique_ptr<Sink> make(int tries = 0) {
    return std::make_unique<Sink>(Sink::Options{"test", folder_.path() / "test",
                                                [this](const Alert& alert, Instant, const std::atomic<bool>&) {
                                                  tried_ += alert.subject + " ";
                                                  return answers_(alert);
                                                },
                                                tries, 10},
                                  log_);
  }
  /// What has been tried since this was last asked.
  std::string tried() { return std::exchange(tried_, {}); }

  const ScratchFolder folder_;
  Log log_{LogLevel::error};
  std::string tried_;
  std::function<Sent(const Alert&)> answers_ = [](const Alert&) { return kTaken; };
};

TEST_F(SinkTest, sends_one_after_another_and_then_rests) {
  const auto sink = make();
  EXPECT_EQ(sink->step(kNow), kNever);
  sink->put(numbered(1));
  sink->put(numbered(2));
  EXPECT_EQ(sink->step(kNow), kNow);
  EXPECT_EQ(sink->step(kNow), kNever);
  EXPECT_EQ(sink->step(kNow), kNever);
  EXPECT_EQ(tried(), "1 2 ");
  EXPECT_EQ(sink->numbers().sent, 2);
  EXPECT_EQ(sink->numbers().waiting, 0);
}

TEST_F(SinkTest, waits_longer_and_longer_for_one_that_is_away_and_loses_nothing) {
  const auto sink = make();
  answers_ = [](const Alert&) { return kAway; };
  for (int i = 1; i <= 3; ++i) sink->put(numbered(i));
  Instant now = kNow;
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 12; ++i) {
    const Instant next = sink->step(now);
    EXPECT_EQ(sink->step(next - Duration{1}), next) << "it tried before its time";
    waits.push_back((next - now).ms / 1000);
    now = next;
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}));
  EXPECT_EQ(tried(), "1 1 1 1 1 1 1 1 1 1 1 1 ");
  EXPECT_EQ(sink->numbers().trouble, "nobody there");
  answers_ = [](const Alert&) { return kTaken; };
  while (now != kNever) now = sink->step(now);
  EXPECT_EQ(tried(), "1 2 3 ");
  EXPECT_EQ(sink->numbers().sent, 3);
  EXPECT_EQ(sink->numbers().trouble, "");
  answers_ = [](const Alert&) { return kAway; };
  sink->put(numbered(4));
  EXPECT_EQ(sink->step(kNow + days(1)), kNow + days(1) + seconds(1)) << "the waits did not begin anew";
}

TEST_F(SinkTest, goes_on_after_a_restart_with_what_waits) {
  answers_ = [](const Alert&) { return kAway; };
  {
    const auto sink = make();
    sink->put(numbered(1));
    sink->step(kNow);
  }
  answers_ = [](const Alert&) { return kTaken; };
  EXPECT_EQ(make()->step(kNow), kNever);
  EXPECT_EQ(make()->step(kNow), kNever);
  EXPECT_EQ(tried(), "1 1 ");
}

TEST_F(SinkTest, keeps_silent_for_as_long_as_it_was_asked_to_also_after_success) {
  const auto sink = make();
  answers_ = [](const Alert&) { return Sent{Sent::Fate::taken, {}, seconds(60), true}; };
  sink->put(numbered(1));
  sink->put(numbered(2));
  EXPECT_EQ(sink->step(kNow), kNow + seconds(60));
  EXPECT_EQ(sink->step(kNow + seconds(59)), kNow + seconds(60));
  EXPECT_EQ(tried(), "1 ");
  answers_ = [](const Alert&) { return Sent{Sent::Fate::later, "status 429", seconds(600), true}; };
  EXPECT_EQ(sink->step(kNow + seconds(60)), kNow + seconds(660));
  answers_ = [](const Alert&) { return kTaken; };
  EXPECT_EQ(sink->step(kNow + seconds(660)), kNever);
  EXPECT_EQ(tried(), "2 2 ");
}

TEST_F(SinkTest, drops_and_counts_what_is_refused) {
  const auto sink = make();
  answers_ = [](const Alert& alert) { return alert.subject == "1" ? kRefused : kTaken; };
  sink->put(numbered(1));
  sink->put(numbered(2));
  EXPECT_EQ(sink->step(kNow), kNow);
  EXPECT_EQ(sink->step(kNow), kNever);
  EXPECT_EQ(tried(), "1 2 ");
  EXPECT_EQ(sink->numbers().dropped, 1);
  EXPECT_EQ(sink->numbers().sent, 1);
}

TEST_F(SinkTest, does_not_let_one_alert_that_breaks_it_hold_up_the_others) {
  const auto sink = make();
  answers_ = [](const Alert& alert) { return alert.subject == "1" ? kBroken : kTaken; };
  for (int i = 1; i <= 3; ++i) sink->put(numbered(i));
  Instant now = kNow;
  for (int i = 0; i < 4; ++i) now = sink->step(now);
  EXPECT_EQ(tried(), "1 2 3 1 ");
  EXPECT_EQ(sink->numbers().waiting, 1);
}

TEST_F(SinkTest, gives_up_after_as_many_tries_as_it_is_given) {
  const auto sink = make(3);
  answers_ = [](const Alert& alert) { return alert.subject == "1" ? kBroken : kTaken; };
  sink->put(numbered(1));
  sink->put(numbered(2));
  Instant now = kNow;
  while (now != kNever) now = sink->step(now);
  EXPECT_EQ(tried(), "1 1 1 2 ");
  EXPECT_EQ(sink->numbers().dropped, 1);
}

TEST_F(SinkTest, drops_the_oldest_of_too_many) {
  const auto sink = make();
  for (int i = 1; i <= 11; ++i) sink->put(numbered(i));
  EXPECT_EQ(sink->numbers().waiting, 10);
  EXPECT_EQ(sink->numbers().dropped, 1);
  sink->step(kNow);
  EXPECT_EQ(tried(), "2 ");
}

TEST_F(SinkTest, takes_an_exception_for_a_failure) {
  const auto sink = make();
  answers_ = [](const Alert&) -> Sent { throw std::runtime_error("no memory"); };
  sink->put(numbered(1));
  EXPECT_EQ(sink->step(kNow), kNow + seconds(1));
  EXPECT_EQ(sink->numbers().trouble, "no memory");
}

TEST_F(SinkTest, is_not_fooled_by_a_clock_that_is_put_back) {
  const auto sink = make();
  answers_ = [](const Alert&) { return kAway; };
  sink->put(numbered(1));
  sink->step(kNow);
  sink->step(kNow - days(30));
  EXPECT_EQ(tried(), "1 1 ");
}

}  // namespace
}  // namespace townd
