#include "cli/settings.hpp"

#include <gtest/gtest.h>

namespace townd::cli {
namespace {

const json::value& config() {
  static const json::value value = json::parse(
      R"({"version":3,"max_polecats":5,"polecat_preset":"claude","refinery":{"code_review":true},"reconciler":{"poll":"1m"}})");
  return value;
}

TEST(Settings, HaveTheNamesOfTowndToml) {
  EXPECT_EQ(setting_keys(config()), (std::vector<std::string>{"town.max_polecats", "town.polecat_preset",
                                                              "town.code_review", "reconciler.poll"}));
}

TEST(Settings, AreFoundWithAndWithoutTheTownInFront) {
  EXPECT_EQ(**setting_named(config(), "town.max_polecats"), json::value(5));
  EXPECT_EQ(**setting_named(config(), "max_polecats"), json::value(5));
  EXPECT_EQ(**setting_named(config(), "reconciler.poll"), json::value("1m"));
}

TEST(Settings, NameTheNearestForATypo) {
  const auto typo = setting_named(config(), "town.max_polecat");
  ASSERT_FALSE(typo);
  EXPECT_NE(typo.error().hint.find("town.max_polecats"), std::string::npos) << typo.error().hint;
}

TEST(Settings, AreSetInTheTypeThatTheyHave) {
  EXPECT_EQ(json::serialize(*patch_for(config(), "town.max_polecats", "3")), R"({"max_polecats":3})");
  EXPECT_EQ(json::serialize(*patch_for(config(), "town.polecat_preset", "3")), R"({"polecat_preset":"3"})");
  EXPECT_EQ(json::serialize(*patch_for(config(), "reconciler.poll", "90s")), R"({"reconciler":{"poll":"90s"}})");
  EXPECT_EQ(json::serialize(*patch_for(config(), "code_review", "false")), R"({"refinery":{"code_review":false}})");
}

TEST(Settings, OfTheNodeAreNoTowns) {
  const auto node = setting_named(config(), "limits.max_agents");
  ASSERT_FALSE(node);
  EXPECT_NE(node.error().hint.find("townd.toml"), std::string::npos);
}

}  // namespace
}  // namespace townd::cli
