#include "server/webhooks.hpp"

#include <gmock/gmock.h>

#include "http/signature.hpp"
#include "server/api_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;

constexpr Instant kNow{1'782'907'200'000};
constexpr std::string_view kBody = R"({"zen":"Keep it logically awesome."})";

std::map<std::string, WebhookSender> github() { return {{"github", {WebhookProof::signature, "sesame"}}}; }

TEST(Webhooks, AreSignedAsGitHubPublishesIt) {
  // The example of GitHub's page "Validating webhook deliveries".
  EXPECT_EQ(http::signature("It's a Secret to Everybody", "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(Webhooks, CountOnceAndOnlyWithTheRightSignature) {
  Webhooks hooks({{"github", {WebhookProof::signature, "sesame"}}, {"quiet", {WebhookProof::signature, ""}}});
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

TEST(Webhooks, OfAForgeWithATokenCountOnceById) {
  Webhooks hooks({{"gitlab", {WebhookProof::token, "barley"}}, {"quiet", {WebhookProof::token, ""}}});
  EXPECT_EQ(*hooks.take("gitlab", "t-1", "barley", kBody, "1", kNow), true);
  EXPECT_EQ(*hooks.take("gitlab", "t-1", "barley", kBody, "1", kNow), false);
  EXPECT_EQ(*hooks.take("gitlab", "t-1", "barley", kBody, "2", kNow), true) << "the same may be said twice";
  EXPECT_EQ(*hooks.take("gitlab", "t-2", "barley", kBody, "1", kNow), true) << "to another rig";
  for (const std::string& wrong : {std::string(), std::string("barle"), std::string("barleys"), std::string("Barley"),
                                   http::signature("barley", kBody), http::signature("barley", "barley")})
    EXPECT_EQ(hooks.take("gitlab", "t-1", wrong, kBody, "3", kNow + seconds(2)).error().code, Error::Code::forbidden)
        << wrong;
  EXPECT_EQ(hooks.take("quiet", "t-1", "", kBody, "4", kNow).error().code, Error::Code::forbidden);
}

TEST(Webhooks, AreTenInASecondAtMost) {
  Webhooks hooks(github());
  const std::string right = http::signature("sesame", kBody);
  int taken = 0;
  for (int i = 0; i < 30; ++i) taken += hooks.take("github", "t-1", right, kBody, std::to_string(i), kNow) ? 1 : 0;
  EXPECT_EQ(taken, Webhooks::kPerSecond);
  EXPECT_TRUE(hooks.take("github", "t-1", right, kBody, "later", kNow + seconds(1)));
}

TEST(Webhooks, ForgetTheOldestOfTenThousand) {
  Webhooks hooks(github());
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
  Webhooks hooks(github());
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

TEST_F(ApiTest, GitLabsWebhooksSayWhichMergeRequestsTheyAreAbout) {
  const std::string hook = "/hooks/" + rig_id + "/gitlab";
  int id = 0;
  const auto noticed = [&](const std::string& body) {
    const Reply taken =
        ask("POST", hook, body, "", {{"X-Gitlab-Token", "barley"}, {"Idempotency-Key", "key-" + std::to_string(++id)}});
    EXPECT_EQ(taken.status, 200) << taken.body;
    return taken.body;
  };
  EXPECT_THAT(noticed(R"({"object_kind":"merge_request","object_attributes":{"iid":7}})"), HasSubstr("\"noticed\":1"));
  wait_for_event("pr_noticed");
  EXPECT_THAT(noticed(R"({"object_kind":"note","object_attributes":{"id":1},"merge_request":{"iid":7}})"),
              HasSubstr("\"noticed\":1"));
  EXPECT_THAT(noticed(R"({"object_kind":"note","object_attributes":{"id":1},"issue":{"iid":7}})"),
              HasSubstr("\"noticed\":0"));
  EXPECT_THAT(
      noticed(R"({"object_kind":"pipeline","object_attributes":{"iid":9,"sha":"c1"},"merge_request":{"iid":7}})"),
      HasSubstr("\"noticed\":2"));
  EXPECT_THAT(noticed(R"({"object_kind":"pipeline","object_attributes":{"sha":"c1"},"merge_request":null})"),
              HasSubstr("\"noticed\":1"));
  EXPECT_THAT(noticed(R"({"object_kind":"push","before":"c0","after":"c1"})"), HasSubstr("\"noticed\":2"));
  EXPECT_THAT(noticed(R"({"object_kind":"wiki_page","object_attributes":{"iid":7}})"), HasSubstr("\"noticed\":0"));
  const auto with = [&](const std::vector<std::pair<std::string, std::string>>& headers) {
    return ask("POST", hook, R"({"object_kind":"merge_request","object_attributes":{"iid":7}})", "", headers);
  };
  EXPECT_THAT(with({{"X-Gitlab-Token", "barley"}, {"X-Gitlab-Event-UUID", "of an older GitLab"}}).body,
              HasSubstr("\"noticed\":1"));
  EXPECT_THAT(with({{"X-Gitlab-Token", "barley"}, {"X-Gitlab-Event-UUID", "of an older GitLab"}}).body,
              HasSubstr("\"noticed\":0"));
  EXPECT_EQ(with({{"X-Gitlab-Token", "sesame"}, {"Idempotency-Key", "other"}}).status, 403);
  EXPECT_EQ(with({{"X-Gitlab-Token", "barley"}}).status, 400) << "without an id";
  EXPECT_EQ(ask("POST", "/hooks/" + rig_id + "/elsewhere", "{}", "", {{"X-Gitlab-Token", "barley"}}).status, 403);
}

TEST_F(ApiTest, GiteasWebhooksSayWhichPullRequestsTheyAreAbout) {
  const auto deliver = [this](const std::string& body, const std::string& secret, const std::string& id) {
    return ask("POST", "/hooks/" + rig_id + "/gitea", body, "",
               {{"X-Hub-Signature-256", http::signature(secret, body)}, {"X-Gitea-Delivery", id}});
  };
  const std::string pull = R"({"action":"opened","number":7,"pull_request":{"number":7}})";
  EXPECT_THAT(deliver(pull, "oats", "a").body, HasSubstr("\"noticed\":1"));
  EXPECT_THAT(deliver(pull, "oats", "a").body, HasSubstr("\"noticed\":0")) << "it counts once";
  EXPECT_EQ(deliver(pull, "sesame", "b").status, 403);
  const std::string comment = R"({"action":"created","is_pull":true,"issue":{"number":7,"pull_request":{}}})";
  EXPECT_THAT(deliver(comment, "oats", "c").body, HasSubstr("\"noticed\":1"));
  EXPECT_THAT(deliver(R"({"context":"build","sha":"c1","state":"success"})", "oats", "d").body,
              HasSubstr("\"noticed\":1"));
  EXPECT_THAT(deliver(R"({"issue":{"number":7,"pull_request":null}})", "oats", "e").body, HasSubstr("\"noticed\":0"));
}

}  // namespace
}  // namespace townd::test
