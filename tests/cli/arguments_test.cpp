#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cli/commands.hpp"

namespace townd::cli {
namespace {

Asked asked(const std::vector<std::string>& argv) { return parse(all_commands(), argv); }

TEST(Arguments, FindACommandWithItsWordsAndOptions) {
  const Asked sling = asked({"sling", "Fix it", "--after", "a-1", "--after", "a-2", "--held", "--json"});
  ASSERT_NE(sling.command, nullptr) << sling.text;
  EXPECT_EQ(sling.command->path, "sling");
  EXPECT_EQ(sling.values.text("TITLE"), "Fix it");
  EXPECT_EQ(sling.values.list("--after"), (std::vector<std::string>{"a-1", "a-2"}));
  EXPECT_TRUE(sling.values.has("--held"));
  EXPECT_TRUE(sling.values.has("--json"));
  EXPECT_FALSE(sling.values.has("--body"));
}

TEST(Arguments, TakeWhatHoldsEverywhereBeforeAndBehindTheCommand) {
  EXPECT_EQ(asked({"--town", "acme", "status"}).values.text("--town"), "acme");
  EXPECT_EQ(asked({"status", "--town", "acme"}).values.text("--town"), "acme");
  EXPECT_EQ(asked({"convoy", "start", "acme-1", "--town", "acme"}).values.text("--town"), "acme");
}

TEST(Arguments, NameTheNearestCommandForATypo) {
  const Asked typo = asked({"stauts"});
  EXPECT_EQ(typo.command, nullptr);
  EXPECT_EQ(typo.exit, kUsage);
  ASSERT_TRUE(typo.wrong);
  EXPECT_NE(typo.wrong->hint.find("Did you mean \"status\"?"), std::string::npos) << typo.wrong->hint;
}

TEST(Arguments, SayWhichHelpToReadWhenSomethingIsMissing) {
  const Asked bare = asked({"convoy", "start"});
  EXPECT_EQ(bare.exit, kUsage);
  ASSERT_TRUE(bare.wrong);
  EXPECT_EQ(bare.wrong->hint, "See: town convoy start --help");
}

TEST(Arguments, KnowThatJsonIsWantedAlsoWhenTheRestIsWrong) {
  for (const auto& argv : std::vector<std::vector<std::string>>{
           {"stauts", "--json"}, {"convoy", "start", "--json"}, {"status", "--get", "x", "--no-such"}, {"--json"}}) {
    EXPECT_TRUE(asked(argv).json) << argv.front();
    EXPECT_TRUE(asked(argv).wrong) << argv.front();
  }
  EXPECT_FALSE(asked({"stauts"}).json);
  EXPECT_FALSE(asked({"sling", "--", "--json"}).json);
}

TEST(Arguments, ListTheSettingsForConfigAlone) {
  for (const auto& argv : std::vector<std::vector<std::string>>{{"config"}, {"config", "--rig", "web"}}) {
    ASSERT_NE(asked(argv).command, nullptr);
    EXPECT_EQ(asked(argv).command->path, "config list");
  }
  EXPECT_EQ(asked({"config", "get", "x"}).command->path, "config get");
  EXPECT_EQ(asked({"config", "--help"}).command, nullptr);
}

TEST(Arguments, ShowHelpWithoutAnyCommand) {
  const Asked nothing = asked({});
  EXPECT_EQ(nothing.exit, kUsage);
  EXPECT_NE(nothing.text.find("town demo"), std::string::npos);
}

TEST(EveryCommand, HasASummaryAnExampleOfItselfAndHelp) {
  std::set<std::string> paths;
  for (const Command& command : all_commands()) {
    EXPECT_TRUE(paths.insert(command.path).second) << command.path << " is there twice";
    EXPECT_FALSE(command.summary.empty()) << command.path;
    EXPECT_NE(command.example.find("town " + command.path), std::string::npos) << command.path;
    std::vector<std::string> argv;
    const auto space = command.path.find(' ');
    argv.push_back(command.path.substr(0, space));
    if (space != std::string::npos) argv.push_back(command.path.substr(space + 1));
    argv.emplace_back("--help");
    const Asked help = asked(argv);
    EXPECT_EQ(help.exit, kOk) << command.path;
    EXPECT_NE(help.text.find("Example:\n  " + command.example.substr(0, command.example.find('\n'))), std::string::npos)
        << help.text;
    EXPECT_NE(help.text.find("--json"), std::string::npos) << command.path;
  }
}

TEST(Exits, FollowTheKindOfError) {
  EXPECT_EQ(exit_of(Error::Code::invalid), kUsage);
  EXPECT_EQ(exit_of(Error::Code::not_found), kNotFound);
  EXPECT_EQ(exit_of(Error::Code::conflict), kRefused);
  EXPECT_EQ(exit_of(Error::Code::forbidden), kRefused);
  EXPECT_EQ(exit_of(Error::Code::unavailable), kUnreachable);
  EXPECT_EQ(exit_of(Error::Code::internal), kFailed);
}

}  // namespace
}  // namespace townd::cli
