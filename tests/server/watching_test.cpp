#include <gmock/gmock.h>

#include "server/api_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;

TEST_F(ApiTest, MetricsAreForWhoeverMayRead) {
  const Reply answer = ask("GET", "/metrics", "", token_of(kViewer));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("# TYPE townd_reconciler_tick_seconds histogram"));
  EXPECT_THAT(answer.body,
              HasSubstr("townd_reconciler_actions_total{rule=\"beads.assign\",town=\"t\",type=\"dispatch_agent\"} 0"));
  EXPECT_EQ(ask("GET", "/metrics", "", "").status, 401);
  EXPECT_EQ(ask("GET", "/metrics", "", working_agent().token).status, 403);
}

TEST_F(ApiTest, StatusHasTheNineValuesOfTheLastTickAndWhatEachRigWaitsFor) {
  new_bead("one");
  const json::value status = get(town + "/status");
  const json::object& tick = status.at("reconciler").as_object();
  for (const char* name : {"eventsDrained", "actionsEmitted", "actionsByType", "effectsAttempted", "effectsSucceeded",
                           "effectsFailed", "invariantViolations", "wallClockMs", "pendingEventCount"})
    EXPECT_TRUE(tick.contains(name)) << name;
  EXPECT_TRUE(status.at("breaker").is_object());
  const json::value& rig_now = status.at("rigs").at(0);
  EXPECT_TRUE(rig_now.at("gates").is_array());
  EXPECT_TRUE(rig_now.at("breaker").is_object());
  EXPECT_TRUE(rig_now.at("merge_waits_for").is_null());
  post(town + "/pause", R"({"reason":"lunch"})", 200);
  new_bead("two", false);
  const json::value paused = get(town + "/status");
  const json::value& waits = paused.at("rigs").at(0).at("work_waits_for");
  ASSERT_TRUE(waits.is_object()) << json::serialize(paused.at("rigs"));
  EXPECT_THAT(std::string(waits.at("because").as_string()), HasSubstr("paused"));
}

}  // namespace
}  // namespace townd::test
