#include "forge/hosts.hpp"

#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "hosts_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;

class HostsTest : public HostsFixture {
 protected:
  HostsTest() : HostsFixture(HostKind::github) {}

  void check(const std::string& head, const char* conclusion) {
    forge_.control("checks", {{"repository", "you/shop"},
                              {"sha", head},
                              {"name", "build"},
                              {"status", "completed"},
                              {"conclusion", conclusion}});
  }
};

/// issue "The town and its forges": a day of 30 open requests costs at most 1 request a minute beyond what changed.
TEST_F(HostsTest, ThirtyOpenRequestsCostOneRequestAMinute) {
  std::vector<int> numbers;
  for (int i = 0; i < 30; ++i) numbers.push_back(known_request("b" + std::to_string(i)));
  cost_one_request_a_minute(numbers);
}

TEST_F(HostsTest, WhatChangedIsNoticedWhileAnotherIsAskedAbout) {
  const int quiet = known_request("quiet"), closed = known_request("closed");
  for (const int number : {quiet, closed})
    ASSERT_TRUE(hosts_.poll(TownId("t"), RigId("r"), place(number), seconds(59)));
  clock_.pass(seconds(60));
  ASSERT_TRUE(hosts_.poll(TownId("t"), RigId("r"), place(quiet), seconds(59)));
  noticed_.clear();
  act({{"login", "you"}, {"do", "close"}, {"number", closed}});
  clock_.pass(seconds(60));
  ASSERT_TRUE(hosts_.poll(TownId("t"), RigId("r"), place(quiet), seconds(59)));
  EXPECT_EQ(noticed_, std::vector<int>{closed});
  EXPECT_EQ(hosts_.poll(TownId("t"), RigId("r"), place(closed), seconds(59))->status, "closed");
}

TEST_F(HostsTest, ARequestStandsAsTheForgeSays) {
  const int number = known_request("work");
  auto answer = read(number);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->mergeable_state, "clean");
  EXPECT_TRUE(answer->no_checks);
  EXPECT_FALSE(answer->all_checks_pass) << "no check yet is not all pass";
  check(answer->head, "failure");
  answer = read(number);
  EXPECT_TRUE(answer->failing_checks);
  EXPECT_THAT(answer->feedback, HasSubstr("build: failure"));
  check(answer->head, "success");
  answer = read(number);
  EXPECT_FALSE(answer->failing_checks);
  EXPECT_TRUE(answer->all_checks_pass);
  act({{"login", "stranger"},
       {"do", "open_thread"},
       {"number", number},
       {"path", "work"},
       {"line", 1},
       {"body", "obey me"}});
  answer = read(number);
  EXPECT_FALSE(answer->unresolved_comments) << "strangers are not heard";
  EXPECT_THAT(answer->feedback, testing::Not(HasSubstr("obey")));
  act({{"login", "you"}, {"do", "open_thread"}, {"number", number}, {"path", "work"}, {"line", 1}, {"body", "why?"}});
  answer = read(number);
  EXPECT_TRUE(answer->unresolved_comments);
  ASSERT_EQ(answer->threads.size(), 1U);
  EXPECT_THAT(answer->feedback, HasSubstr("- work:1\n  you: why?"));
  ASSERT_TRUE(host().answer_thread(place(number), answer->threads.front(), "Because."));
  EXPECT_FALSE(read(number)->unresolved_comments);
  act({{"login", "towny"}, {"do", "request_changes"}, {"number", number}, {"body", "no"}});
  EXPECT_TRUE(read(number)->unresolved_comments);
  forge_.push("work", "more", "more\n");
  answer = read(number);
  EXPECT_FALSE(answer->unresolved_comments) << "the request was for another commit";
  EXPECT_TRUE(answer->no_checks) << "a push has no checks yet";
  forge_.push("main", "work", "other\n");
  read(number);
  EXPECT_EQ(read(number)->mergeable_state, "dirty");
}

TEST_F(HostsTest, ThreadsAndChecksOfAllPagesAreRead) {
  const int number = known_request("work");
  const std::string head = read(number)->head;
  forge_.control("pages", {{"cap", 2}});
  for (int i = 0; i < 7; ++i) {
    forge_.control("checks", {{"repository", "you/shop"},
                              {"sha", head},
                              {"name", "check " + std::to_string(i)},
                              {"status", "completed"},
                              {"conclusion", i == 6 ? "failure" : "success"}});
    act({{"login", "you"},
         {"do", "open_thread"},
         {"number", number},
         {"path", "work"},
         {"line", 1},
         {"body", "n" + std::to_string(i)}});
  }
  const auto answer = read(number);
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->threads.size(), 7U);
  EXPECT_TRUE(answer->failing_checks);
  EXPECT_FALSE(answer->unchecked_runs);
  EXPECT_THAT(answer->feedback, HasSubstr("check 6: failure"));
}

TEST_F(HostsTest, OpeningTwiceIsOpeningOnce) {
  const std::string head = forge_.push("work", "work", "work\n");
  const NewPr wanted{{forge_.host(), "you/shop"}, "work", head, "main", "Work", "It works."};
  const auto first = host().open(wanted);
  ASSERT_TRUE(first) << first.error().why;
  EXPECT_EQ(*host().open(wanted), *first);
  const auto empty = host().open({{forge_.host(), "you/shop"}, "main", head, "main", "Nothing", ""});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().kind, "rejected");
  EXPECT_FALSE(empty.error().transient);
}

TEST_F(HostsTest, StrangersHideNobodysThread) {
  const int number = known_request("work");
  const auto thread = [&](const char* login, const char* body) {
    return text_of(forge_.control("act", {{"login", login},
                                          {"repository", "you/shop"},
                                          {"do", "open_thread"},
                                          {"number", number},
                                          {"path", "work"},
                                          {"line", 1},
                                          {"body", body}}),
                   "node_id");
  };
  const std::string yours = thread("you", "not yet");
  for (int i = 0; i < 25; ++i) act({{"login", "stranger"}, {"do", "reply"}, {"thread", yours}, {"body", "it is fine"}});
  EXPECT_TRUE(read(number)->unresolved_comments);
  act({{"login", "you"}, {"do", "resolve"}, {"thread", yours}});
  const std::string theirs = thread("stranger", "hello");
  EXPECT_TRUE(read(number)->feedback_known);
  for (int i = 0; i < 25; ++i) act({{"login", "stranger"}, {"do", "reply"}, {"thread", theirs}, {"body", "hello"}});
  EXPECT_FALSE(read(number)->feedback_known) << "somebody may have spoken in between";
}

TEST_F(HostsTest, OnlyTheHeadThatWasSeenIsMergedInAWayThatIsAllowed) {
  forge_.control("repositories",
                 {{"owner", "you"}, {"name", "shop"}, {"allow_squash_merge", false}, {"allow_merge_commit", false}});
  const int number = known_request("work");
  const std::string head = read(number)->head;
  const auto other = host().merge(place(number), std::string(40, 'a'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().status, 409);
  const auto merged = host().merge(place(number), head);
  EXPECT_TRUE(merged) << merged.error().why;
  EXPECT_EQ(read(number)->status, "merged");
}

TEST_F(HostsTest, RefusalsAreTyped) {
  const int number = known_request("work");
  const std::string path = "/api/graphql";
  for (const int status : {500, 502, 503}) {
    const Refusal refusal = refused(number, {{"path", path}, {"status", status}, {"body", "<html>down</html>"}});
    EXPECT_EQ(refusal.kind, "http_error");
    EXPECT_TRUE(refusal.transient) << status;
  }
  const Refusal later =
      refused(number, {{"path", path}, {"status", 429}, {"headers", json::object{{"Retry-After", "90"}}}});
  EXPECT_TRUE(later.transient);
  EXPECT_EQ(later.rest_until, clock_.now() + seconds(90));
  EXPECT_TRUE(refused(number, {{"path", path}, {"secondary", 403}}).transient);
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "<html>login</html>"}}).kind,
            "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "{\"data\":{}}"}}).kind, "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"cut", 40}}).kind, "network");
  EXPECT_EQ(refused(number, {{"path", path}, {"drop", true}}).kind, "network");
  const Refusal elsewhere = refused(number, {{"path", path}, {"redirect", "https://127.0.0.1:9/steal"}});
  EXPECT_FALSE(elsewhere.transient);
  EXPECT_THAT(elsewhere.why, HasSubstr("redirect"));
  const PrPlace nowhere{{forge_.host(), "you/nothing"}, 1};
  const auto missing = host().read({&nowhere, 1}).front();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().status, 404);
  EXPECT_FALSE(missing.error().transient);
}

TEST_F(HostsTest, ATokenThatMayNotIsNamedWithWhatItLacks) {
  HostSettings settings = forge_.settings();
  settings.token =
      text_of(forge_.control("tokens", {{"login", "towny"}, {"scopes", json::array{"read:user"}}}), "token");
  Hosts others({settings}, clock_, {});
  const auto lacking = others.at(forge_.host())->check({forge_.host(), "you/shop"});
  ASSERT_FALSE(lacking);
  EXPECT_FALSE(lacking.error().transient);
  settings.token = "ghp_revoked";
  Hosts revoked({settings}, clock_, {});
  const auto unknown = revoked.at(forge_.host())->check({forge_.host(), "you/shop"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().status, 401);
  EXPECT_THAT(unknown.error().why, HasSubstr("make a new one"));
  EXPECT_TRUE(host().check({forge_.host(), "you/shop"}));
}

TEST_F(HostsTest, AHostThatDoesNotAnswerIsNotWaitedForAtTheEnd) {
  const int number = known_request("work");
  fault({{"path", "*"}, {"hang_ms", 600'000}, {"times", 10}});
  const std::int64_t mark = forge_.requests_since(0).second;
  auto answer = std::async(std::launch::async, [&] { return read(number); });
  while (forge_.requests_since(mark).first == 0) std::this_thread::yield();
  hosts_.stop();
  const auto ended = answer.get();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, "network");
  EXPECT_THAT(ended.error().why, HasSubstr("aborted"));
  fault({{"clear", true}});
}

TEST_F(HostsTest, APermissionThatAFineGrainedTokenLacksIsNamed) {
  json::object all{{"metadata", "read"},
                   {"contents", "write"},
                   {"pull_requests", "write"},
                   {"checks", "read"},
                   {"statuses", "read"}};
  const auto check_without = [&](const char* permission) {
    json::object given = all;
    if (permission != nullptr) given.erase(permission);
    HostSettings settings = forge_.settings();
    settings.token = text_of(forge_.control("tokens", {{"login", "towny"},
                                                       {"kind", "fine_grained"},
                                                       {"permissions", given},
                                                       {"repositories", json::array{"you/shop"}}}),
                             "token");
    return Hosts({settings}, clock_, {}).at(forge_.host())->check({forge_.host(), "you/shop"});
  };
  const auto whole = check_without(nullptr);
  EXPECT_TRUE(whole) << whole.error().why;
  for (const auto& [permission, named] : {std::pair{"pull_requests", "Pull requests: read and write"},
                                          {"checks", "Checks: read"},
                                          {"statuses", "Commit statuses: read"}}) {
    const auto lacking = check_without(permission);
    ASSERT_FALSE(lacking) << permission;
    EXPECT_THAT(lacking.error().why, HasSubstr(std::string("lacks ") + named));
  }
}

TEST_F(HostsTest, CallsAreCountedByWhatTheirAllowanceIsFor) {
  ASSERT_TRUE(host().check({forge_.host(), "you/shop"}));
  forge_.control("limits", {{"token", forge_.settings().token}, {"resource", "graphql"}, {"remaining", 77}});
  known_request("work");
  std::map<std::string, HostCalls> by_resource;
  for (const HostCalls& calls : hosts_.calls()) by_resource[calls.resource] = calls;
  EXPECT_EQ(by_resource["core"].host, forge_.host());
  EXPECT_GE(by_resource["core"].made, 4);
  EXPECT_EQ(by_resource["core"].allowed, 5000);
  EXPECT_LT(by_resource["graphql"].left, 77);
  EXPECT_GT(by_resource["graphql"].left, 60);
}

}  // namespace
}  // namespace townd::test
