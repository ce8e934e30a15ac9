#include "server/forge_settings.hpp"

#include <gmock/gmock.h>

namespace townd {
namespace {

using testing::HasSubstr;

expected<std::vector<HostSettings>> read(const std::string& toml) {
  const auto node = read_node_settings(toml, "townd.toml");
  if (!node) return tl::unexpected(node.error());
  return forge_settings(*node, "townd.toml");
}
std::string error_of(const std::string& toml) {
  const auto hosts = read(toml);
  return hosts ? "" : hosts.error().what;
}

TEST(ForgeSettings, NoHostIsNamedWithoutAToken) {
  EXPECT_TRUE(read("")->empty());
  EXPECT_TRUE(read("[gitlab]\nhost = \"gitlab.example\"\n")->empty());
}

TEST(ForgeSettings, EachForgeHasItsHost) {
  const auto hosts = read(
      "[github]\ntoken = \"g\"\n[gitlab]\nhost = \"GitLab.Example:8443\"\ntoken = \"l\"\nwebhook_secret = \"w\"\n"
      "bots = [\"reviewer\"]\n[gitea]\ntoken = \"t\"\n");
  ASSERT_TRUE(hosts) << hosts.error().what;
  ASSERT_EQ(hosts->size(), 3U);
  EXPECT_EQ(hosts->front().kind, HostKind::github);
  EXPECT_EQ(hosts->front().host, "github.com");
  EXPECT_EQ(hosts->at(1).kind, HostKind::gitlab);
  EXPECT_EQ(hosts->at(1).host, "gitlab.example:8443");
  EXPECT_EQ(hosts->at(1).token, "l");
  EXPECT_EQ(hosts->at(1).webhook_secret, "w");
  EXPECT_EQ(hosts->at(1).bots, std::vector<std::string>{"reviewer"});
  EXPECT_EQ(hosts->back().kind, HostKind::gitea);
  EXPECT_EQ(hosts->back().host, "codeberg.org");
  EXPECT_EQ(hosts->back().token, "t");
  EXPECT_EQ(proof_of(HostKind::github), WebhookProof::signature);
  EXPECT_EQ(proof_of(HostKind::gitlab), WebhookProof::token);
  EXPECT_EQ(proof_of(HostKind::gitea), WebhookProof::signature);
}

TEST(ForgeSettings, ErrorsNameFileLineAndKeyAndNoSecret) {
  EXPECT_EQ(
      error_of(
          "[github]\nhost = \"git.example\"\ntoken = \"g\"\n[gitlab]\ntoken = \"l\"\nhost = \"Git.example:443\"\n"),
      "townd.toml:6: gitlab.host: git.example is in [github] already");
  EXPECT_THAT(error_of("[gitlab]\nhost = \"https://gitlab.com\"\ntoken = \"x\"\n"),
              HasSubstr("townd.toml:2: gitlab.host: \"https://gitlab.com\" is no name of a host, such as gitlab.com"));
  EXPECT_THAT(error_of("[gitlab]\nhost = \"gitlab.com/us\"\ntoken = \"x\"\n"), HasSubstr("is no name of a host"));
  EXPECT_THAT(error_of("[gitlab]\ntoken = \"env:TOWN_TEST_NONE\"\n"),
              HasSubstr("townd.toml:2: gitlab.token: there is no"));
  const std::string spaced = error_of("[gitlab]\ntoken = \"glpat secret\"\n");
  EXPECT_EQ(spaced, "townd.toml:2: gitlab.token: a token has no spaces or line ends");
  EXPECT_THAT(error_of("[gitlab]\ntoken = \"x\"\nwebhook_secret = \"file:no-such-file\"\n"),
              HasSubstr("townd.toml:3: gitlab.webhook_secret: cannot read"));
  EXPECT_EQ(error_of("[github]\ntoken = \"g\"\napp_id = \"1\"\n"),
            "townd.toml:3: github.app_id: there is a github.token already; one of them is enough");
}

}  // namespace
}  // namespace townd
