#include "observe/alert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace townd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Instant kNow{1'700'000'000'000};

Alarm violation() {
  Alarm alarm;
  alarm.kind = "invariant_7";
  alarm.town = TownId("shop");
  alarm.message = "it works, but holds no bead";
  alarm.tick = 42;
  alarm.invariant = 7;
  alarm.subject = "shop-polecat-1";
  alarm.rule = "agents.idle";
  return alarm;
}

TEST(Alerts, of_a_violation_name_everything_that_is_known_of_it) {
  const Alert alert = make_alert(violation(), kNow, "/data/bundles", "node");
  EXPECT_EQ(alert.id.size(), 32u);
  EXPECT_EQ(alert.level, AlertLevel::error);
  EXPECT_EQ(alert.bundle, "/data/bundles/shop-tick-42.bundle");
  EXPECT_THAT(fingerprint(alert), ElementsAre("invariant", "7", "agents.idle"));
  EXPECT_NE(make_alert(violation(), kNow, "", "").id, alert.id);
}

TEST(Alerts, of_anything_else_are_warnings_but_for_what_cannot_wait) {
  Alarm alarm;
  alarm.kind = "escalation";
  alarm.town = TownId("shop");
  alarm.subject = "shop-3";
  EXPECT_EQ(make_alert(alarm, kNow, "", "").level, AlertLevel::warning);
  EXPECT_THAT(fingerprint(make_alert(alarm, kNow, "", "")), ElementsAre("escalation", "shop", "shop-3"));
  EXPECT_EQ(make_alert(alarm, kNow, "", "").bundle, "");
  for (const char* kind : {"crash", "town_quarantined", "store_failed"}) {
    alarm.kind = kind;
    EXPECT_EQ(make_alert(alarm, kNow, "", "").level, AlertLevel::error) << kind;
  }
}

TEST(Alerts, have_no_bytes_that_are_no_text_and_an_end) {
  Alarm alarm = violation();
  alarm.message = std::string(kAlertMessage, 'x');
  EXPECT_EQ(make_alert(alarm, kNow, "", "").message.size(), kAlertMessage);
  alarm.message += "x";
  EXPECT_EQ(make_alert(alarm, kNow, "", "").message.size(), kAlertMessage);
  alarm.message = std::string(100'000, '\xff');
  EXPECT_LE(make_alert(alarm, kNow, "", "").message.size(), kAlertMessage);
  alarm.message = "a\xff";
  EXPECT_EQ(make_alert(alarm, kNow, "", "").message, "a\ufffd");
}

TEST(Alerts, are_read_as_they_were_written) {
  const Alert alert = make_alert(violation(), kNow, "/b", "node");
  const auto again = alert_from_text(to_text(alert));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(to_text(*again), to_text(alert));
  EXPECT_THAT(to_text(alert), HasSubstr(R"("level":"error")"));
  for (const char* text : {"", "{}", "[]", R"({"id":"x","kind":"y"})", R"({"nothing":1})"})
    EXPECT_FALSE(alert_from_text(text)) << text;
}

TEST(Alerts, that_were_held_become_one_with_an_id_of_their_own) {
  Alarm alarm;
  alarm.kind = "escalation";
  alarm.town = TownId("shop");
  std::vector<Alert> held;
  for (int i = 0; i < 12; ++i) {
    alarm.subject = "shop-" + std::to_string(i);
    alarm.message = "number " + std::to_string(i);
    held.push_back(make_alert(alarm, kNow, "", ""));
  }
  const Alert digest = digest_of(held, kNow + hours(8));
  EXPECT_EQ(digest.count, 12);
  EXPECT_EQ(digest.kind, "escalation");
  EXPECT_EQ(digest.town, "shop");
  EXPECT_EQ(digest.subject, "");
  EXPECT_THAT(digest.message, HasSubstr("12 alerts"));
  EXPECT_THAT(digest.message, HasSubstr("shop-9: number 9\n"));
  EXPECT_THAT(digest.message, HasSubstr("and 2 more"));
  EXPECT_EQ(digest_of(held, kNow + hours(9)).id, digest.id);
  EXPECT_EQ(digest_of({held.front()}, kNow).id, held.front().id);
}

}  // namespace
}  // namespace townd
