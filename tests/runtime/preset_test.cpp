#include "runtime/preset.hpp"

#include <gtest/gtest.h>

#include "stage.hpp"

namespace townd::test {
namespace {

TEST(Presets, ThatAreShippedAreAllRead) {
  const auto presets = load_presets({TOWND_SOURCE "/share/presets"});
  ASSERT_TRUE(presets) << presets.error().what;
  for (const auto* name : {"script", "refine", "claude", "codex", "gemini", "opencode", "kilo", "qwen", "custom"}) {
    ASSERT_TRUE(presets->contains(name)) << name;
    EXPECT_FALSE(presets->at(name).install.empty()) << name;
    if (std::string{name} == "custom") continue;  // only its owner knows what it takes
    EXPECT_FALSE(presets->at(name).check.empty()) << name;
  }
  for (const auto* name : {"claude", "codex", "gemini", "opencode", "kilo", "qwen"})
    EXPECT_FALSE(presets->at(name).resume.empty()) << name;
}

TEST(Presets, SwitchOffAProgramsOwnQuestionsOnlyInsideOurSandbox) {
  const auto presets = load_presets({TOWND_SOURCE "/share/presets"});
  for (const auto* name : {"claude", "codex", "gemini", "opencode", "kilo", "qwen"}) {
    const auto& preset = presets->at(name);
    auto always = preset.run;
    always.insert(always.end(), preset.resume.begin(), preset.resume.end());
    always.insert(always.end(), preset.outside.begin(), preset.outside.end());
    for (const auto& word : always)
      for (const auto* off : {"ypass", "yolo", "--auto"})
        EXPECT_TRUE(word.find(off) == std::string::npos) << name << " " << word;
    EXPECT_FALSE(preset.inside.empty());
  }
}

TEST(Presets, OfTheOwnerReplaceOurs) {
  const Folder folder;
  write_file(folder.path() + "/script.toml", "command = \"bash\"\nrun = [\"/dev/stdin\"]\n");
  EXPECT_EQ(load_presets({TOWND_SOURCE "/share/presets", folder.path()})->at("script").command, "bash");
}

TEST(Presets, ThatAreWrongAreRefusedWithTheFileAndTheKey) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"comand = \"x\"\n", "comand"},
      {"run = []\n", "command is missing"},
      {"command = \"x\"\nrun = \"a b\"\n", "run is not a list"},
      {"command = \"x\"\ninput = \"tape\"\n", "\"tape\""},
      {"command = \"x\"\n[exits]\n1 = \"happy\"\n", "happy"},
      {"command = \"x\"\n[exits]\none = \"crashed\"\n", "exit code"},
      {"command = ", "line 1"}};
  for (const auto& [text, says] : wrong) {
    const Folder folder;
    write_file(folder.path() + "/mine.toml", text);
    const auto presets = load_presets({folder.path()});
    ASSERT_FALSE(presets) << text;
    EXPECT_NE(presets.error().what.find(says), std::string::npos) << presets.error().what;
    EXPECT_NE(presets.error().what.find("mine.toml"), std::string::npos);
  }
}

}  // namespace
}  // namespace townd::test
