#include "cli/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/compression.hpp"
#include "codec/json.hpp"

namespace townd::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::string_view kBackingOff = R"({
  "format": "town-snapshot/1",
  "town": {"id": "t1", "now": "2026-07-01T12:00:00.000Z", "prefix": "tn"},
  "beads": [{"bead_id": "b1", "dispatch_attempts": 1, "last_dispatch_attempt_at": "2026-07-01T11:59:50.000Z"}]
})";

class Plan : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("plan-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(std::string_view bytes) {
    const fs::path path = folder_ / "town.json";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  json::value plan(const std::string& path, std::optional<std::string> at = {}) {
    std::ostringstream out;
    const auto exit = plan_snapshot({path, std::move(at), true}, out);
    EXPECT_TRUE(exit) << exit.error().what;
    return json::parse(out.str());
  }

  fs::path folder_;
};

TEST_F(Plan, SaysWhenToLookAgainWhenNothingIsDue) {
  const json::value now = plan(file(kBackingOff));
  EXPECT_TRUE(now.at("actions").as_array().empty());
  EXPECT_EQ(now.at("at").as_string(), "2026-07-01T12:00:00.000Z");
  EXPECT_EQ(now.at("next_due_at").as_string(), "2026-07-01T12:00:20.001Z");
}

TEST_F(Plan, AtALaterTimeDecidesWhatIsDueThen) {
  const json::value later = plan(file(kBackingOff), "2026-07-01T12:00:20.001Z");
  ASSERT_EQ(later.at("actions").as_array().size(), 1u);
  const json::value& action = later.at("actions").at(0);
  EXPECT_EQ(action.at("type").as_string(), "dispatch_agent");
  EXPECT_EQ(action.at("rule").as_string(), "beads.assign");
  EXPECT_EQ(action.at("bead_id").as_string(), "b1");
  EXPECT_EQ(action.at("agent_id").as_string(), "");
  EXPECT_EQ(action.at("chosen").as_string(), "tn-1");
}

TEST_F(Plan, ReadsAPackedSnapshot) {
  const json::value packed = plan(file(compress(kBackingOff)), "2026-07-01T12:00:20.001Z");
  EXPECT_EQ(packed, plan(file(kBackingOff), "2026-07-01T12:00:20.001Z"));
}

TEST_F(Plan, ForPeopleIsALineForEachAction) {
  std::ostringstream out;
  ASSERT_TRUE(plan_snapshot({file(kBackingOff), "2026-07-01T12:00:20.001Z", false}, out));
  EXPECT_THAT(out.str(), HasSubstr("dispatch_agent bead_id=b1 rig_id=rig-1"));
  EXPECT_THAT(out.str(),
              HasSubstr("[beads.assign]  2026-07-01T12:00:20.001Z\nat 2026-07-01T12:00:20.001Z: 1 action; next look "));
}

TEST_F(Plan, AMistypedKeyIsAnErrorWithItsPlace) {
  std::ostringstream out;
  const auto exit = plan_snapshot(
      {file(R"({"format": "town-snapshot/1", "town": {"now": "2026-07-01T12:00:00.000Z"}, "beads": [{"bead_id": "b1",
              "stats": "open"}]})"),
       std::nullopt, false},
      out);
  ASSERT_FALSE(exit);
  EXPECT_THAT(exit.error().what, HasSubstr("at /beads/0/stats: unknown key; the nearest known one is \"status\""));
}

TEST_F(Plan, AMissingFileIsAnError) {
  std::ostringstream out;
  EXPECT_FALSE(plan_snapshot({folder_ / "none.json", std::nullopt, false}, out));
}

}  // namespace
}  // namespace townd::cli
