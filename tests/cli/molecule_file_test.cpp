#include "cli/molecule_file.hpp"

#include <gtest/gtest.h>

namespace townd::cli {
namespace {

std::string error_of(const std::string& text) {
  const auto steps = read_molecule_file("steps.toml", text);
  return steps ? "" : steps.error().what;
}

TEST(MoleculeFile, IsReadInTomlAndJson) {
  const auto toml = read_molecule_file(
      "steps.toml", "[[step]]\ntitle = \"one\"\ninstructions = \"how\"\n[[step]]\ntitle = \"two\"\n");
  const auto as_json =
      read_molecule_file("steps.json", R"({"steps":[{"title":"one","instructions":"how"},{"title":"two"}]})");
  ASSERT_TRUE(toml) << toml.error().what;
  ASSERT_TRUE(as_json) << as_json.error().what;
  EXPECT_EQ(json::serialize(*as_json), R"([{"title":"one","instructions":"how"},{"title":"two"}])");
  EXPECT_EQ(*toml, *as_json);
}

TEST(MoleculeFile, SaysWhatIsWrong) {
  EXPECT_NE(error_of("").find("no step"), std::string::npos);
  EXPECT_NE(error_of("[[step]]\nbody = \"x\"").find("step 1 has an unknown key \"body\""), std::string::npos);
  EXPECT_NE(error_of("[[step]]\ntitle = \"a\"\n[[step]]\ninstructions = \"x\"").find("step 2 has no title"),
            std::string::npos);
  EXPECT_NE(error_of("title = \"a convoy\"").find("unknown key \"title\""), std::string::npos);
}

}  // namespace
}  // namespace townd::cli
