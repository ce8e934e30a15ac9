#include "observe/alert_sinks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "receiver.hpp"
#include "sim/fake_clock.hpp"
#include "store/scratch_folder.hpp"
#include "strict_sentry.hpp"

namespace townd {
namespace {

using test::Received;
using test::Receiver;
using test::Reply;
using test::StrictSentry;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";
constexpr const char* kOldSecret = "fedcba98fedcba98";
constexpr const char* kHookSecret = "hook-secret-words";

Alarm violation(int invariant = 7, const std::string& town = "shop") {
  Alarm alarm;
  alarm.kind = "invariant_" + std::to_string(invariant);
  alarm.town = TownId(town);
  alarm.message = "it works, but holds no bead";
  alarm.tick = 42;
  alarm.invariant = invariant;
  alarm.subject = "shop-polecat-1";
  alarm.rule = "agents.idle";
  return alarm;
}

Alarm escalation(const std::string& subject) {
  Alarm alarm;
  alarm.kind = "escalation";
  alarm.town = TownId("shop");
  alarm.subject = subject;
  alarm.message = "somebody should look at " + subject;
  return alarm;
}

class AlertSinksTest : public testing::Test {
 protected:
  AlertSinksTest() {
    settings_.version = "0.1.0";
    settings_.node = "machine";
  }
  Dsn dsn(int port) {
    return *read_dsn(std::string("http://") + kKey + ":" + kOldSecret + "@127.0.0.1:" + std::to_string(port) + "/1");
  }
  std::unique_ptr<AlertSinks> make() {
    return std::make_unique<AlertSinks>(settings_, folder_.path().string(), clock_, log_);
  }
  /// Everything that is due now, with no thread.
  void settle(AlertSinks& sinks) {
    sinks.step(clock_.now());
    for (const auto& sink : sinks.sinks())
      for (Instant next = clock_.now(); next <= clock_.now();) next = sink->step(clock_.now());
  }

  const ScratchFolder folder_;
  sim::FakeClock clock_;
  Log log_{LogLevel::debug};
  SinkSettings settings_;
};

TEST_F(AlertSinksTest, a_violation_is_at_sentry_once_with_all_its_fields) {
  StrictSentry sentry(kKey, "1");
  std::string trouble;
  Receiver receiver([&](const Received& request) -> Reply {
    trouble += sentry.take(request);
    return {200};
  });
  settings_.sentry = dsn(receiver.port());
  const auto sinks = make();
  sinks->start();
  sinks->alarm(violation());
  sinks->alarm(violation());
  ASSERT_TRUE(receiver.await(1));
  while (sinks->numbers().sinks[0].sent == 0) std::this_thread::yield();
  sinks->stop();
  EXPECT_EQ(trouble, "");
  ASSERT_EQ(sentry.events.size(), 1u);
  EXPECT_EQ(sentry.events[0].at("tags"), json::parse(R"({"kind":"invariant_7","town":"shop","invariant":"7"})"));
  EXPECT_EQ(sentry.events[0].at("extra").at("bundle"),
            json::value(folder_.path().string() + "/bundles/shop-tick-42.bundle"));
  EXPECT_EQ(receiver.all().size(), 1u);
  EXPECT_EQ(sinks->numbers().repeated, 1);
  EXPECT_EQ(sinks->numbers().sinks[0].sent, 1);
}

TEST_F(AlertSinksTest, what_sentry_could_not_take_arrives_later_and_once) {
  StrictSentry sentry(kKey, "1");
  int port = 0;
  {
    const Receiver receiver([](const Received&) { return Reply{500}; });
    port = receiver.port();
    settings_.sentry = dsn(port);
    const auto sinks = make();
    sinks->alarm(violation());
    settle(*sinks);
    EXPECT_EQ(receiver.all().size(), 1u);
  }
  const auto sinks = make();  // a restart, and nobody listens there
  settle(*sinks);
  EXPECT_THAT(sinks->numbers().sinks[0].trouble, HasSubstr("127.0.0.1"));
  const Receiver receiver([&](const Received& request) { return Reply{sentry.take(request).empty() ? 200 : 400}; },
                          port);
  settle(*sinks);
  EXPECT_EQ(receiver.all().size(), 0u) << "it did not wait";
  clock_.pass(seconds(1));
  settle(*sinks);
  clock_.pass(hours(1));
  settle(*sinks);
  EXPECT_EQ(receiver.all().size(), 1u);
  EXPECT_EQ(sentry.events.size(), 1u);
  EXPECT_EQ(sinks->numbers().sinks[0].waiting, 0);
}

TEST_F(AlertSinksTest, a_rate_limit_is_kept_whatever_the_status_that_brings_it) {
  std::vector<Reply> replies{{429, "Retry-After: 1\r\nX-Sentry-Rate-Limits: 60:error:organization\r\n"},
                             {200, "x-sentry-rate-limits: 30::key\r\n"},
                             {200, "X-Sentry-Rate-Limits: 30:transaction:key\r\n"},
                             {429, "Retry-After: 90\r\n"},
                             {200}};
  std::size_t next = 0;
  const Receiver receiver([&](const Received&) { return replies[std::min(next++, replies.size() - 1)]; });
  settings_.sentry = dsn(receiver.port());
  const auto sinks = make();
  for (int i = 1; i <= 4; ++i) sinks->alarm(violation(i));
  const auto after = [&](Duration time) {
    clock_.pass(time);
    settle(*sinks);
    return receiver.all().size();
  };
  EXPECT_EQ(after({}), 1u);
  EXPECT_EQ(after(seconds(59)), 1u);
  EXPECT_EQ(after(seconds(1)), 2u);
  EXPECT_EQ(after(seconds(29)), 2u);
  EXPECT_EQ(after(seconds(1)), 4u);
  EXPECT_EQ(after(seconds(89)), 4u);
  EXPECT_EQ(after(seconds(1)), 6u);
  EXPECT_EQ(sinks->numbers().sinks[0].sent, 4);
}

TEST_F(AlertSinksTest, what_is_refused_is_dropped_and_redirects_are_not_followed) {
  const Receiver elsewhere([](const Received&) { return Reply{200}; });
  std::vector<Reply> replies{{413}, {302, "Location: http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/\r\n"}};
  std::size_t next = 0;
  const Receiver receiver([&](const Received&) { return replies[next++]; });
  settings_.sentry = dsn(receiver.port());
  const auto sinks = make();
  sinks->alarm(violation(1));
  sinks->alarm(violation(2));
  settle(*sinks);
  EXPECT_EQ(receiver.all().size(), 2u);
  EXPECT_EQ(elsewhere.all().size(), 0u);
  EXPECT_EQ(sinks->numbers().sinks[0].dropped, 2);
}

TEST_F(AlertSinksTest, a_trouble_is_told_again_after_its_time_and_of_each_town) {
  const Receiver receiver([](const Received&) { return Reply{200}; });
  settings_.sentry = dsn(receiver.port());
  const auto sinks = make();
  const auto told = [&](const Alarm& alarm) {
    const std::size_t before = receiver.all().size();
    sinks->alarm(alarm);
    settle(*sinks);
    return receiver.all().size() - before;
  };
  EXPECT_EQ(told(violation()), 1u);
  Alarm other = violation();
  other.subject = "shop-polecat-2";
  EXPECT_EQ(told(other), 0u) << "the same invariant and rule";
  other.rule = "agents.work";
  EXPECT_EQ(told(other), 1u);
  EXPECT_EQ(told(violation(7, "other")), 1u);
  EXPECT_EQ(told(escalation("shop-1")), 1u);
  EXPECT_EQ(told(escalation("shop-2")), 1u);
  EXPECT_EQ(told(escalation("shop-2")), 0u);
  clock_.pass(minutes(59));
  EXPECT_EQ(told(violation()), 0u);
  clock_.pass(minutes(1));
  EXPECT_EQ(told(violation()), 1u);
}

TEST_F(AlertSinksTest, in_quiet_hours_only_errors_pass_and_the_rest_comes_as_a_digest) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const Receiver receiver([](const Received&) { return Reply{200}; });
  settings_.webhook =
      Webhook{*read_web_address("http://127.0.0.1:" + std::to_string(receiver.port()) + "/"), kHookSecret};
  settings_.quiet = read_quiet_hours("22:00-07:00").value();  // the clock stands at 22:13:20
  {
    const auto sinks = make();
    for (int i = 1; i <= 3; ++i) sinks->alarm(escalation("shop-" + std::to_string(i)));
    sinks->alarm(violation());
    settle(*sinks);
    ASSERT_EQ(receiver.all().size(), 1u);
    EXPECT_THAT(receiver.all()[0].body, HasSubstr("invariant_7"));
    EXPECT_EQ(sinks->numbers().held, 3);
    EXPECT_EQ(sinks->step(clock_.now()), clock_.now() + hours(8) + minutes(46) + seconds(40));
  }
  const auto sinks = make();  // a restart forgets nothing
  Alarm stray = escalation("");
  stray.kind = "stray_agent";
  sinks->alarm(stray);
  clock_.pass(hours(8) + minutes(46) + seconds(39));
  settle(*sinks);
  EXPECT_EQ(receiver.all().size(), 1u);
  clock_.pass(seconds(1));
  settle(*sinks);
  ASSERT_EQ(receiver.all().size(), 3u);
  EXPECT_THAT(receiver.all()[1].body, HasSubstr(R"("count":3)"));
  EXPECT_THAT(receiver.all()[1].body, HasSubstr("somebody should look at shop-3"));
  EXPECT_THAT(receiver.all()[2].body, HasSubstr("stray_agent"));
  EXPECT_EQ(sinks->numbers().held, 0);
  clock_.pass(hours(1));
  settle(*sinks);
  EXPECT_EQ(receiver.all().size(), 3u);
}

TEST_F(AlertSinksTest, a_webhook_is_signed_and_keeps_its_id_at_each_try) {
  std::vector<Reply> replies{{503, "Retry-After: 2\r\n"}, {204}};
  std::size_t next = 0;
  const Receiver receiver([&](const Received&) { return replies[next++]; });
  settings_.webhook =
      Webhook{*read_web_address("http://127.0.0.1:" + std::to_string(receiver.port()) + "/hooks/a?b=c"), kHookSecret};
  const auto sinks = make();
  sinks->alarm(violation());
  settle(*sinks);
  clock_.pass(seconds(2));
  settle(*sinks);
  const std::vector<Received> all = receiver.all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].line, "POST /hooks/a?b=c HTTP/1.1");
  EXPECT_EQ(all[0].headers.at("content-type"), "application/json");
  EXPECT_EQ(all[0].headers.at("x-townd-timestamp"), "1700000000");
  EXPECT_EQ(all[1].headers.at("x-townd-timestamp"), "1700000002");
  EXPECT_EQ(all[0].headers.at("x-townd-delivery"), all[1].headers.at("x-townd-delivery"));
  EXPECT_EQ(all[0].body, all[1].body);
  for (const Received& one : all)
    EXPECT_EQ(one.headers.at("x-townd-signature"),
              webhook_signature(kHookSecret, one.headers.at("x-townd-timestamp"), one.body));
  const auto alert = alert_from_text(all[0].body);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->id, all[0].headers.at("x-townd-delivery"));
  EXPECT_EQ(alert->rule, "agents.idle");
}

TEST(WebhookSignature, is_what_other_programs_make_of_it) {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
  EXPECT_EQ(webhook_signature("key", "1700000000", "{\"a\":1}"),
            "sha256=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03");
}

TEST_F(AlertSinksTest, nobody_waits_for_a_sentry_that_does_not_answer) {
  const Receiver receiver([](const Received&) { return Reply{0}; });
  settings_.sentry = dsn(receiver.port());
  settings_.command = {"/bin/sh", "-c", "cat > " + folder_.path().string() + "/$TOWND_ALERT"};
  const auto sinks = make();
  sinks->start();
  sinks->alarm(violation());
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) sinks->alarm(violation(i % 12 + 1, "town-" + std::to_string(i % 3)));
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, std::chrono::milliseconds(500));
  RecordProperty("microseconds_for_10000",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  // The sinks do not wait for one another.
  const auto deadline = begun + std::chrono::seconds(20);
  while (sinks->numbers().sinks[1].sent == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GT(sinks->numbers().sinks[1].sent, 0);
  EXPECT_EQ(sinks->numbers().sinks[0].sent, 0);
  const auto ending = std::chrono::steady_clock::now();
  sinks->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - ending, std::chrono::seconds(5));
}

TEST_F(AlertSinksTest, too_many_that_come_at_once_are_bounded_and_counted) {
  settings_.sentry = dsn(1);
  const auto sinks = make();
  for (std::size_t i = 0; i < AlertSinks::kQueue; ++i) sinks->alarm(violation());
  EXPECT_EQ(sinks->numbers().dropped, 0);
  sinks->alarm(violation());
  EXPECT_EQ(sinks->numbers().dropped, 1);
}

TEST_F(AlertSinksTest, what_was_told_before_the_start_or_at_the_end_is_on_disk) {
  settings_.sentry = dsn(1);
  make()->alarm(violation());
  EXPECT_EQ(make()->numbers().sinks[0].waiting, 1);
}

TEST_F(AlertSinksTest, no_secret_is_in_a_log_line_or_on_disk) {
  std::size_t next = 0;
  std::vector<int> statuses{500, 400, 200};
  const Receiver receiver([&](const Received&) { return Reply{statuses[next++ % statuses.size()]}; });
  settings_.sentry = dsn(receiver.port());
  settings_.webhook = Webhook{
      *read_web_address("http://127.0.0.1:" + std::to_string(receiver.port()) + "/hook-path-secret"), kHookSecret};
  testing::internal::CaptureStderr();
  {
    const auto sinks = make();
    for (int i = 1; i <= 6; ++i) {
      sinks->alarm(violation(i));
      settle(*sinks);
      clock_.pass(minutes(5));
    }
    settle(*sinks);
  }
  settings_.sentry = dsn(1);  // nobody there
  settings_.webhook = Webhook{*read_web_address("http://127.0.0.1:1/hook-path-secret"), kHookSecret};
  {
    const auto sinks = make();
    sinks->alarm(violation(9));
    settle(*sinks);
  }
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("sink=sentry"));
  EXPECT_THAT(lines, HasSubstr("sink=webhook"));
  std::string disk;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
    if (std::ifstream file(entry.path(), std::ios::binary); entry.is_regular_file() && ++files > 0)
      disk.append(std::istreambuf_iterator<char>(file), {});
  EXPECT_GT(files, 2);
  for (const char* secret : {kKey, kOldSecret, kHookSecret, "hook-path-secret"}) {
    EXPECT_THAT(lines, Not(HasSubstr(secret)));
    EXPECT_THAT(disk, Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace townd
