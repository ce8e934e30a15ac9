#include "server/sink_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace townd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SinkSettingsTest : public testing::Test {
 protected:
  SinkSettingsTest() {
    std::string name = (fs::temp_directory_path() / "town-sinks-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ofstream(folder_ / "dsn") << "https://0123456789abcdef@sentry.example/7\n";
    std::ofstream(folder_ / "empty") << "\n";
    std::ofstream(folder_ / "long") << std::string(4097, 'x');
  }
  ~SinkSettingsTest() override { fs::remove_all(folder_); }

  expected<SinkSettings> read(const std::string& toml) {
    const std::string file = (folder_ / "townd.toml").string();
    const auto node = read_node_settings(toml, file);
    if (!node) return tl::unexpected(node.error());
    return sink_settings(*node, file);
  }
  /// The error without the folder.
  std::string error_of(const std::string& toml) {
    const auto settings = read(toml);
    if (settings) return "";
    std::string what = settings.error().what;
    for (std::size_t at = 0; (at = what.find(folder_.string() + "/")) != std::string::npos;)
      what.erase(at, folder_.string().size() + 1);
    return what;
  }

  fs::path folder_;
};

TEST_F(SinkSettingsTest, NothingIsSetByDefault) {
  const auto settings = read("");
  ASSERT_TRUE(settings);
  EXPECT_FALSE(settings->any());
}

TEST_F(SinkSettingsTest, SecretsAreReadFromWhereTheyAre) {
  ::setenv("TOWN_TEST_HOOK", "https://hooks.example/x", 1);
  const auto settings = read(
      "[sentry]\ndsn = \"file:dsn\"\n[webhook]\nurl = \"env:TOWN_TEST_HOOK\"\nsecret = \"word\"\n"
      "[alerts]\ncommand = [\"sh\", \"-c\", \"true\"]\nquiet = \"22:00-07:00\"\nrepeat = \"5m\"\n");
  ::unsetenv("TOWN_TEST_HOOK");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->sentry->key, "0123456789abcdef");
  EXPECT_EQ(settings->webhook->to.url(), "https://hooks.example:443/x");
  EXPECT_EQ(settings->webhook->secret, "word");
  EXPECT_EQ(settings->quiet->from, 22 * 60);
  EXPECT_EQ(settings->repeat, minutes(5));
}

TEST_F(SinkSettingsTest, ErrorsNameFileLineAndKeyAndNoSecret) {
  EXPECT_THAT(
      error_of("\n[sentry]\ndsn = \"https://secretword@sentry.example\"\n"),
      testing::AllOf(HasSubstr("townd.toml:3: sentry.dsn: it has no project number"), Not(HasSubstr("secretword"))));
  EXPECT_THAT(error_of("[sentry]\ndsn = \"https://\"\n"), HasSubstr("townd.toml:2: sentry.dsn: "));
  EXPECT_THAT(error_of("[sentry]\ndsn = \"http://word@sentry.example/1\"\n"), HasSubstr("plain http"));
  EXPECT_EQ(error_of("[sentry]\ndsn = \"env:TOWN_TEST_NONE\"\n"),
            "townd.toml:2: sentry.dsn: there is no TOWN_TEST_NONE in the environment");
  EXPECT_EQ(error_of("[sentry]\ndsn = \"file:none\"\n"),
            "townd.toml:2: sentry.dsn: cannot read none: No such file or directory");
  EXPECT_THAT(error_of("[sentry]\ndsn = \"file:.\"\n"), HasSubstr("it is no plain file"));
  EXPECT_EQ(error_of("[sentry]\ndsn = \"file:empty\"\n"), "townd.toml:2: sentry.dsn: empty is empty");
  EXPECT_EQ(error_of("[sentry]\ndsn = \"file:long\"\n"), "townd.toml:2: sentry.dsn: long is longer than 4 KiB");
  EXPECT_THAT(error_of("[webhook]\nurl = \"https://hooks.example/\"\n"),
              HasSubstr("webhook.url: its posts are signed"));
  EXPECT_THAT(error_of("[webhook]\nsecret = \"word\"\n"), HasSubstr("townd.toml:2: webhook.secret: "));
  EXPECT_THAT(error_of("[webhook]\nsecret = \"word\"\nurl = \"https://u:p@hooks.example/\"\n"),
              HasSubstr("townd.toml:3: webhook.url: it may hold no user name"));
  EXPECT_EQ(error_of("[alerts]\ncommand = [\"no-such-program\"]\n"),
            "townd.toml:2: alerts.command: there is no program \"no-such-program\"");
  EXPECT_THAT(error_of("[alerts]\n\nquiet = \"at night\"\n"), HasSubstr("townd.toml:3: alerts.quiet: expected two"));
}

}  // namespace
}  // namespace townd
