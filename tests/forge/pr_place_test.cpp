#include "forge/pr_place.hpp"

#include <gtest/gtest.h>

namespace townd::test {
namespace {

TEST(PrPlaces, AreReadStrictly) {
  const auto place = read_pr_url(HostKind::github, "https://github.com/You/Shop/pull/12");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->url(HostKind::github), "https://github.com/you/shop/pull/12");
  for (const char* wrong :
       {"http://github.com/you/shop/pull/12", "https://github.com/you/shop/pull/12/",
        "https://github.com/you/shop/pull/0", "https://github.com/you/shop/pull/12?x",
        "https://github.com/you/shop/pull/12#a", "https://a@github.com/you/shop/pull/12",
        "https://github.com/you/../pull/12", "https://github.com/shop/pull/12", "https://github.com/a/b/c/pull/12",
        "https://github.com/you/shop/issues/12", "https://github.com/you/shop/pull/99999999999",
        "https://github.com\n/a/b/pull/1", "https://github.com/you/shop/pull/12 ",
        "https://github.com/you//shop/pull/12", "https://github.com/you/shop/-/merge_requests/12", ""})
    EXPECT_FALSE(read_pr_url(HostKind::github, wrong)) << wrong;
}

TEST(PrPlaces, OfGitLabHaveGroupsWithinGroups) {
  const auto place = read_pr_url(HostKind::gitlab, "https://gitlab.com/Acme/Tools/shop/-/merge_requests/12");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->repository.path, "acme/tools/shop");
  EXPECT_EQ(place->url(HostKind::gitlab), "https://gitlab.com/acme/tools/shop/-/merge_requests/12");
  std::string deep = "https://gitlab.com/a";
  for (int i = 1; i < 20; ++i) deep += "/a";
  EXPECT_TRUE(read_pr_url(HostKind::gitlab, deep + "/-/merge_requests/1"));
  for (const std::string& wrong :
       {deep + "/a/-/merge_requests/1", std::string("https://gitlab.com/shop/-/merge_requests/12"),
        std::string("https://gitlab.com/a/b/pull/12"), std::string("https://gitlab.com/a/b/merge_requests/12"),
        std::string("https://gitlab.com/a/b/-/merge_requests/12/diffs"),
        std::string("https://gitlab.com/a/b/-/merge_requests/012"),
        std::string("https://gitlab.com/a/b/-/merge_requests/12#note_1"),
        std::string("https://gitlab.com/a/b/-/issues/-/merge_requests/12"),
        std::string("https://gitlab.com/a//b/-/merge_requests/12"),
        std::string("https://gitlab.com/a/../b/-/merge_requests/12"),
        std::string("http://gitlab.com/a/b/-/merge_requests/12"),
        std::string("https://x@gitlab.com/a/b/-/merge_requests/12")})
    EXPECT_FALSE(read_pr_url(HostKind::gitlab, wrong)) << wrong;
}

TEST(PrPlaces, OfGiteaAreBeneathPulls) {
  const auto place = read_pr_url(HostKind::gitea, "https://codeberg.org/You/Shop/pulls/12");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->url(HostKind::gitea), "https://codeberg.org/you/shop/pulls/12");
  for (const char* wrong : {"https://codeberg.org/you/shop/pull/12", "https://codeberg.org/a/you/shop/pulls/12",
                            "https://codeberg.org/you/shop/pulls/12/files", "https://codeberg.org/you/shop/issues/12"})
    EXPECT_FALSE(read_pr_url(HostKind::gitea, wrong)) << wrong;
}

TEST(PrPlaces, OfGitRemotes) {
  const HostedRepository shop{"github.com", "you/shop"};
  for (const char* remote :
       {"https://github.com/you/shop.git", "https://github.com:443/You/Shop", "git@github.com:you/shop.git",
        "ssh://git@github.com/you/shop.git/", "https://user@GitHub.com/you/shop"})
    EXPECT_EQ(hosted_at(remote), shop) << remote;
  EXPECT_EQ(hosted_at("https://ghe.example:8443/a/b.git"), (HostedRepository{"ghe.example:8443", "a/b"}));
  const HostedRepository nested{"gitlab.com", "acme/tools/shop"};
  EXPECT_EQ(hosted_at("git@gitlab.com:Acme/tools/shop.git"), nested);
  EXPECT_TRUE(can_have(HostKind::gitlab, nested));
  EXPECT_FALSE(can_have(HostKind::github, nested));
  for (const char* none :
       {"/srv/shop.git", "https://github.com/shop", "https://github.com/a//c", "file:///a/b", "github.com/a/b", ""})
    EXPECT_FALSE(hosted_at(none)) << none;
}

}  // namespace
}  // namespace townd::test
