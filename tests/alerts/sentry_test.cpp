#include "observe/sentry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "strict_sentry.hpp"

namespace townd {
namespace {

using test::Received;
using test::StrictSentry;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Instant kNow{1'700'000'000'000};
constexpr const char* kKey = "0123456789abcdef0123456789abcdef";

std::string dsn_text(const std::string& rest) { return std::string("https://") + kKey + rest; }

TEST(Dsn, says_where_to_send_and_who_we_are) {
  const auto dsn = read_dsn(dsn_text("@o1.ingest.sentry.example/4501"));
  ASSERT_TRUE(dsn) << dsn.error().what;
  EXPECT_EQ(dsn->envelope_url(), "https://o1.ingest.sentry.example:443/api/4501/envelope/");
  EXPECT_EQ(dsn->key, kKey);
  EXPECT_EQ(dsn->text(), dsn_text("@o1.ingest.sentry.example:443/4501"));
}

TEST(Dsn, may_have_a_path_a_port_and_the_secret_of_old_ones) {
  const auto dsn = read_dsn(dsn_text(":oldsecret@sentry.example:9443/some/path/7/"));
  ASSERT_TRUE(dsn) << dsn.error().what;
  EXPECT_EQ(dsn->envelope_url(), "https://sentry.example:9443/some/path/api/7/envelope/");
  EXPECT_EQ(dsn->secret, "oldsecret");
  EXPECT_THAT(sentry_headers(*dsn, "0.1.0").at(2), HasSubstr("sentry_secret=oldsecret"));
  EXPECT_EQ(dsn->text().find("oldsecret"), std::string::npos);
}

TEST(Dsn, that_is_wrong_is_refused_and_not_repeated) {
  for (const char* rest :
       {"", "@", "@sentry.example", "@sentry.example/", "@sentry.example/abc", "@/1", ":@/1", "@sentry.example/1?a=b",
        "@sentry.example/1#a", "@sentry.example:99999/1", "@sentry example/1", ":sec!ret@sentry.example/1"}) {
    const auto dsn = read_dsn(dsn_text(rest));
    EXPECT_FALSE(dsn) << rest;
    if (!dsn) {
      EXPECT_EQ(dsn.error().what.find(kKey), std::string::npos) << dsn.error().what;
    }
  }
  for (const char* text : {"", "https://sentry.example/1", "http://key@sentry.example/1", "key@sentry.example/1"})
    EXPECT_FALSE(read_dsn(text)) << text;
}

Alert violation() {
  Alarm alarm;
  alarm.kind = "invariant_7";
  alarm.town = TownId("shop");
  alarm.message = "it works, but holds \"no\" bead\nand says so \xe2\x82\xac";
  alarm.tick = 42;
  alarm.invariant = 7;
  alarm.subject = "shop-polecat-1";
  alarm.rule = "agents.idle";
  return make_alert(alarm, kNow, "/data/bundles", "machine");
}

Received request_of(const Dsn& dsn, const Alert& alert) {
  Received request;
  request.line = "POST /api/" + dsn.project + "/envelope/ HTTP/1.1";
  for (const std::string& header : sentry_headers(dsn, "0.1.0")) {
    const std::size_t colon = header.find(": ");
    std::string name = header.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    request.headers[name] = header.substr(colon + 2);
  }
  request.body = sentry_envelope(dsn, alert, "0.1.0", kNow + seconds(1));
  request.headers["content-length"] = std::to_string(request.body.size());
  return request;
}

TEST(SentryEnvelope, of_a_violation_is_taken_by_a_strict_sentry_with_all_its_fields) {
  const Dsn dsn = *read_dsn(dsn_text("@sentry.example/1"));
  const Alert alert = violation();
  StrictSentry sentry(kKey, "1");
  ASSERT_EQ(sentry.take(request_of(dsn, alert)), "");
  ASSERT_EQ(sentry.events.size(), 1u);
  const json::object& event = sentry.events.front();
  EXPECT_EQ(event.at("event_id"), json::value(alert.id));
  EXPECT_EQ(event.at("level"), json::value("error"));
  EXPECT_EQ(event.at("timestamp"), json::value("2023-11-14T22:13:20.000Z"));
  EXPECT_EQ(event.at("tags"), json::parse(R"({"kind":"invariant_7","town":"shop","invariant":"7"})"));
  EXPECT_EQ(event.at("fingerprint"), json::parse(R"(["invariant","7","agents.idle"])"));
  const json::object& extra = event.at("extra").as_object();
  EXPECT_EQ(extra.at("message"), json::value(alert.message));
  EXPECT_EQ(extra.at("rule"), json::value("agents.idle"));
  EXPECT_EQ(extra.at("tick"), json::value(42));
  EXPECT_EQ(extra.at("bundle"), json::value("/data/bundles/shop-tick-42.bundle"));
  EXPECT_EQ(extra.at("subject"), json::value("shop-polecat-1"));
  EXPECT_EQ(event.at("release"), json::value("townd@0.1.0"));
  // The same once more is the same.
  EXPECT_EQ(sentry.take(request_of(dsn, alert)), "");
  EXPECT_EQ(sentry.events.size(), 1u);
  EXPECT_EQ(sentry.doubles, 1);
}

TEST(SentryEnvelope, of_any_alarm_is_taken) {
  const Dsn dsn = *read_dsn(dsn_text(":old@sentry.example/1"));
  StrictSentry sentry(kKey, "1");
  Alarm alarm;
  alarm.kind = std::string(600, 'k') + "\n";
  alarm.town = TownId("a\nb" + std::string(600, 't'));
  alarm.message = std::string(100'000, '\x80');
  EXPECT_EQ(sentry.take(request_of(dsn, make_alert(alarm, kNow, "", "n"))), "");
  alarm = Alarm{};
  alarm.kind = "crash";
  EXPECT_EQ(sentry.take(request_of(dsn, make_alert(alarm, kNow, "", "n"))), "");
  EXPECT_EQ(sentry.events.size(), 2u);
}

TEST(SentryEnvelope, that_was_spoilt_is_refused_by_the_strict_sentry) {
  const Dsn dsn = *read_dsn(dsn_text("@sentry.example/1"));
  const Received good = request_of(dsn, violation());
  const auto spoilt = [&](const std::string& from, const std::string& to) {
    Received bad = good;
    const std::size_t at = bad.body.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    bad.body.replace(at, from.size(), to);
    bad.headers["content-length"] = std::to_string(bad.body.size());
    StrictSentry sentry(kKey, "1");
    return sentry.take(bad);
  };
  EXPECT_EQ(spoilt(R"("length":)", R"("length":1)"), "the item's length");
  EXPECT_EQ(spoilt(R"("level":"error")", R"("level":"wrong")"), "event: level");
  EXPECT_EQ(spoilt(R"("platform")", R"("platfrom")"), "event: an event has no platfrom");
  EXPECT_EQ(spoilt(R"("type":"event")", R"("type":"error")"), "item header");
  EXPECT_EQ(spoilt(R"("dsn":"https://0)", R"("dsn":"https://1)"), "dsn");
}

TEST(RateLimits, count_when_they_name_errors_or_everything) {
  EXPECT_EQ(rate_limit("60:error:organization"), seconds(60));
  EXPECT_EQ(rate_limit("60:default;error;security:key:reason:ns"), seconds(60));
  EXPECT_EQ(rate_limit("60::organization"), seconds(60));
  EXPECT_EQ(rate_limit("60:transaction;session:key"), Duration{});
  EXPECT_EQ(rate_limit("60:transaction:key, 2700:error;attachment:organization"), seconds(2700));
  EXPECT_EQ(rate_limit("10:error:key,20::key,5:error:key"), seconds(20));
  EXPECT_EQ(rate_limit("0.5:error:key"), Duration{500});
  EXPECT_EQ(rate_limit("9999999:error:key"), days(1));
  for (const char* text : {"", ",", "x:error:key", "-5:error:key", ":error:key", "60s:error", "::", "nan:error:x"})
    EXPECT_EQ(rate_limit(text), Duration{}) << text;
}

}  // namespace
}  // namespace townd
