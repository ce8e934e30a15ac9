#include "server/webhooks.hpp"

#include <gmock/gmock.h>

#include "http/signature.hpp"
#include "server/api_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;

constexpr Instant kNow{1'782'907'200'000};
constexpr std::string_view kBody = R"({"zen":"Keep it logically awesome."})";

TEST(Webhooks, AreSignedAsGitHubPublishesIt) {
  // The example of GitHub's page "Validating webhook deliveries".
  EXPECT_EQ(http::signature("It's a Secret to Everybody", "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(Webhooks, CountOnceAndOnlyWithTheRightSignature) {
  Webhooks hooks({{"github", "sesame"}, {"quiet", ""}});
  const std::string right = http::signature("sesame", kBody);
  EXPECT_EQ(*hooks.take("github", "t-1", right, kBody, "1", kNow), true);
  EXPECT_EQ(*hooks.take("github", "t-1", right, kBody, "1", kNow), false);
  EXPECT_EQ(*hooks.take("github", "t-1", right, kBody, "2", kNow), false) << "the id is not signed";
  const std::string other = std::string(kBody) + " ";
  EXPECT_EQ(*hooks.take("github", "t-1", http::signature("sesame", other), other, "1", kNow), false);
  EXPECT_EQ(*hooks.take("github", "t-1", http::signature("sesame", other), other, "2", kNow), true);
  for (const std::string& wrong : {std::string(), std::string("sha256="), right.substr(0, 70), right + "0",
                                   http::signature("Sesame", kBody), http::signature("sesame", "{}")})
    EXPECT_EQ(hooks.take("github", "t-1", wrong, kBody, "3", kNow + seconds(2)).error().code, Error::Code::forbidden)
        << wrong;
  EXPECT_EQ(hooks.take("github", "t-1", right, kBody, "", kNow + seconds(4)).error().code, Error::Code::invalid);
  EXPECT_EQ(hooks.take("quiet", "t-1", http::signature("", kBody), kBody, "4", kNow).error().code,
            Error::Code::forbidden);
  EXPECT_EQ(hooks.take("gitlab", "t-1", right, kBody, "4", kNow).error().code, Error::Code::forbidden);
}

TEST(Webhooks, AreTenInASecondAtMost) {
  Webhooks hooks(std::map<std::string, std::string>{{"github", "sesame"}});
  const std::string right = http::signature("sesame", kBody);
  int taken = 0;
  for (int i = 0; i < 30; ++i) taken += hooks.take("github", "t-1", right, kBody, std::to_string(i), kNow) ? 1 : 0;
  EXPECT_EQ(taken, Webhooks::kPerSecond);
  EXPECT_TRUE(hooks.take("github", "t-1", right, kBody, "later", kNow + seconds(1)));
}

TEST(Webhooks, ForgetTheOldestOfTenThousand) {
  Webhooks hooks(std::map<std::string, std::string>{{"github", "sesame"}});
  const auto take = [&](std::size_t number, Instant at) {
    const std::string body = "{\"number\":" + std::to_string(number) + "}";
    return hooks.take("github", "t-1", http::signature("sesame", body), body, std::to_string(number), at);
  };
  for (std::size_t i = 0; i <= Webhooks::kRemembered; ++i)
    ASSERT_TRUE(*take(i, kNow + seconds(static_cast<std::int64_t>(i))));
  const Instant then = kNow + seconds(20'000);
  EXPECT_EQ(*take(1, then), false);
  EXPECT_EQ(*take(0, then), true);
}

TEST(Webhooks, StrangersDoNotUseUpTheForgesShare) {
  Webhooks hooks(std::map<std::string, std::string>{{"github", "sesame"}});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(hooks.take("github", "t-1", "sha256=0", kBody, std::to_string(i), kNow));
  EXPECT_TRUE(hooks.take("github", "t-1", http::signature("sesame", kBody), kBody, "1", kNow));
}

TEST_F(ApiTest, AWebhookIsLetInByItsSignatureAlone) {
  const std::string body = R"({"action":"closed","pull_request":{"number":7}})";
  const auto deliver = [&](const std::string& to, const std::string& secret, const std::string& id) {
    return ask("POST", to, body, "",
               {{"X-Hub-Signature-256", http::signature(secret, body)}, {"X-GitHub-Delivery", id}});
  };
  const std::string hook = "/hooks/" + rig_id + "/github";
  EXPECT_EQ(deliver(hook, "wrong", "a").status, 403);
  EXPECT_EQ(deliver("/hooks/" + rig_id + "/gitlab", "sesame", "a").status, 403);
  EXPECT_EQ(deliver("/hooks/zz-1/github", "sesame", "b").status, 404);
  const Reply taken = deliver(hook, "sesame", "c");
  EXPECT_EQ(taken.status, 200) << taken.body;
  EXPECT_THAT(taken.body, HasSubstr("\"noticed\":1"));
  wait_for_event("pr_noticed");
  EXPECT_THAT(deliver(hook, "sesame", "c").body, HasSubstr("\"noticed\":0"));
}

}  // namespace
}  // namespace townd::test
