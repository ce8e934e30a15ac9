#include "git/names.hpp"

#include <gtest/gtest.h>

#include "git/fetch.hpp"
#include "git/layout.hpp"
#include "git/user_config.hpp"

namespace townd::git {
namespace {

using namespace std::string_literals;

TEST(BranchNames, OfTownsPass) {
  for (const char* name : {"main", "gt/toast/t-12", "convoy/add-search/t-7/gt/maple/t-9", "feature/a+b@c=d", "v1.2"}) {
    EXPECT_TRUE(validate_branch_name(name)) << name;
  }
}

TEST(BranchNames, ThatAreHostileAreRefusedAndShownHarmless) {
  for (const std::string& name : {""s,
                                  "-x"s,
                                  "--upload-pack=evil"s,
                                  "a..b"s,
                                  "../../etc"s,
                                  "a/../b"s,
                                  "/a"s,
                                  "a/"s,
                                  "a//b"s,
                                  ".a"s,
                                  "a/.b"s,
                                  "a."s,
                                  "a.lock"s,
                                  "a.lock/b"s,
                                  "HEAD"s,
                                  "@"s,
                                  "a@{1}"s,
                                  "a b"s,
                                  "a\nb"s,
                                  "a\x1b[31m"s,
                                  "a\0b"s,
                                  "a~1"s,
                                  "a^"s,
                                  "a:b"s,
                                  "a?"s,
                                  "a*"s,
                                  "a[b"s,
                                  "a\\b"s,
                                  "a\x7f"s,
                                  "a\u202eb"s,
                                  "a$(touch x)"s,
                                  "a;b"s,
                                  "a`b`"s,
                                  std::string(201, 'a')}) {
    const auto answer = validate_branch_name(name);
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, Error::Code::invalid);
    EXPECT_EQ(answer.error().what.find('\x1b'), std::string::npos);
    EXPECT_FALSE(answer.error().hint.empty());
  }
  EXPECT_TRUE(validate_branch_name(std::string(200, 'a')));
}

TEST(Places, ArePathsAndHttpsAndSsh) {
  for (const char* place : {"https://example.org/a.git", "ssh://git@example.org:22/a.git", "git@example.org:a/b.git",
                            "https://user:token@example.org/a"}) {
    ASSERT_TRUE(place_of(place)) << place;
    EXPECT_EQ(place_of(place)->transport, Transport::network);
  }
  EXPECT_EQ(place_of("/srv/repo")->transport, Transport::local);
}

TEST(Places, OfEveryOtherKindAreRefused) {
  for (const char* place : {"", "repo", "../repo", "ext::sh -c 'touch x'", "http://example.org/a", "file:///srv/a",
                            "git://example.org/a", "-oProxyCommand=x", "ssh://-oProxyCommand=x/a",
                            "a@-oProxyCommand=x:b", "git@host:-x", "https://example.org/a b", "/a\nb"}) {
    EXPECT_FALSE(place_of(place)) << place;
  }
}

TEST(Places, AreShownWithoutTheirPasswords) {
  EXPECT_EQ(without_credentials("fatal: 'https://me:s3cret@example.org/a' and ssh://git@h/b"),
            "fatal: 'https://example.org/a' and ssh://h/b");
  EXPECT_EQ(without_credentials("https://example.org/a@b"), "https://example.org/a@b");
}

TEST(Layout, KeepsIdsOfImportedTownsInsideTheirFolder) {
  EXPECT_EQ(rig_repository("/d", RigId("t-1")), "/d/rigs/t-1/repo.git");
  EXPECT_EQ(clone_folder("/d", RunId("../../x")), "/d/clones/%2E%2E%2F%2E%2E%2Fx");
  EXPECT_EQ(run_ref(RunId("-a.lock")), "refs/town/%2Da%2Elock");
}

TEST(UserConfig, KeepsCredentialsProxiesCertificatesAndInsteadOf) {
  const std::string listed =
      "core.hookspath\n/evil\0credential.helper\n\0credential.https://a.b.helper\n!f() { echo \"x\\y\"; }; f\0"
      "http.proxy\nhttp://p:1\0http.https://h.x/.sslcainfo\n/ca\0http.extraheader\nSecret: 1\0http.sslverify\nfalse\0"
      "url.ssh://git@h/.insteadof\nhttps://h/\0alias.x\n!evil\0filter.lfs.clean\nevil\0core.sshcommand\nevil\0"
      "credential.usehttppath\0include.path\n/x\0"s;
  EXPECT_EQ(allowed_user_config(listed),
            "[credential]\n\thelper = \"\"\n"
            "[credential \"https://a.b\"]\n\thelper = \"!f() { echo \\\"x\\\\y\\\"; }; f\"\n"
            "[http]\n\tproxy = \"http://p:1\"\n"
            "[http \"https://h.x/\"]\n\tsslcainfo = \"/ca\"\n"
            "[url \"ssh://git@h/\"]\n\tinsteadof = \"https://h/\"\n"
            "[credential]\n\tusehttppath\n");
}

}  // namespace
}  // namespace townd::git
