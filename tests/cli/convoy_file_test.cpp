#include "cli/convoy_file.hpp"

#include <gtest/gtest.h>

namespace townd::cli {
namespace {

std::string error_of(const std::string& text) {
  const auto file = read_convoy_file("plan.toml", text);
  return file ? "" : file.error().what;
}

TEST(ConvoyFile, TurnsNamesIntoPlaces) {
  const auto file = read_convoy_file("plan.toml", R"(
title = "Totals"
merge_mode = "review-and-merge"
[[task]]
name = "parse"
title = "Read"
body = "all of it"
[[task]]
title = "Add"
after = ["parse"]
priority = "high"
)");
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(json::serialize(file->request),
            R"({"title":"Totals","merge_mode":"review-and-merge","tasks":[{"title":"Read","body":"all of it"},)"
            R"({"title":"Add","priority":"high","depends_on":[0]}]})");
}

TEST(ConvoyFile, TakesJsonToo) {
  const auto file =
      read_convoy_file("plan.json", R"({"title":"T","tasks":[{"title":"A"},{"title":"B","depends_on":[0]}]})");
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->request.at("tasks").as_array().size(), 2U);
}

TEST(ConvoyFile, NamesTheNearestKeyForATypo) {
  EXPECT_NE(error_of("title = \"T\"\n[[task]]\ntitel = \"A\"\n").find("did you mean \"title\""), std::string::npos);
  EXPECT_NE(error_of("titel = \"T\"\n").find("did you mean \"title\""), std::string::npos);
}

TEST(ConvoyFile, SaysWhichTaskIsMeantByNothing) {
  EXPECT_NE(error_of("title = \"T\"\n[[task]]\ntitle = \"A\"\nafter = [\"b\"]\n").find("no task has that name"),
            std::string::npos);
  EXPECT_NE(error_of("title = \"T\"\n[[task]]\nname = \"a\"\ntitle = \"A\"\n[[task]]\nname = \"a\"\ntitle = \"B\"\n")
                .find("two tasks are called"),
            std::string::npos);
}

TEST(ConvoyFile, RefusesAnEmptyConvoy) {
  EXPECT_NE(error_of("title = \"T\"\n").find("no task"), std::string::npos);
  EXPECT_NE(error_of("[[task]]\ntitle = \"A\"\n").find("no title"), std::string::npos);
}

TEST(ConvoyFile, NamesTheLineOfASyntaxError) { EXPECT_NE(error_of("title =\n").find("1"), std::string::npos); }

}  // namespace
}  // namespace townd::cli
