#include "forge/gitlab.hpp"

#include <gmock/gmock.h>

#include "hosts_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class GitLabTest : public HostsFixture {
 protected:
  GitLabTest() : HostsFixture(HostKind::gitlab) {}

  /// Of which it is known whether it can be merged.
  int checked_request(const std::string& branch) {
    const int number = known_request(branch);
    EXPECT_EQ(settled(number).mergeable_state, "clean");
    return number;
  }
  /// How it stands when GitLab has worked out whether it can be merged.
  events::PollAnswer settled(int number) {
    auto answer = read(number);
    for (int i = 0; i < 3 && answer && answer->mergeable_state == "unknown"; ++i) answer = read(number);
    EXPECT_TRUE(answer) << answer.error().why;
    return answer.value_or(events::PollAnswer{});
  }
  void project(json::object settings) {
    settings.emplace("owner", "you");
    settings.emplace("name", "shop");
    forge_.control("repositories", settings);
  }
  void job(const std::string& branch, const char* name, const char* status, bool may_fail = false) {
    forge_.control("checks", {{"repository", "you/shop"},
                              {"branch", branch},
                              {"job", name},
                              {"status", status},
                              {"allow_failure", may_fail}});
  }
  std::string thread(int number, const char* login, const char* body) {
    return text_of(act({{"login", login}, {"do", "open_thread"}, {"number", number}, {"body", body}}), "thread");
  }
  int requests_of(const std::function<void()>& what) {
    const std::int64_t mark = forge_.requests_since(0).second;
    what();
    return forge_.requests_since(mark).first;
  }
};

TEST_F(GitLabTest, ThirtyOpenRequestsCostOneRequestAMinute) {
  clock_.at = Instant{2'000'000'000'000};  // later than what is said here
  std::vector<int> numbers;
  for (int i = 0; i < 30; ++i) {
    numbers.push_back(known_request("b" + std::to_string(i)));
    if (i % 3 == 0) thread(numbers.back(), i % 2 == 0 ? "you" : "stranger", "why?");
  }
  for (const int number : numbers) settled(number);
  cost_one_request_a_minute(numbers);
}

TEST_F(GitLabTest, ARequestStandsAsTheForgeSays) {
  const int number = checked_request("work");
  auto answer = read(number);
  EXPECT_EQ(answer->provider, "gitlab");
  EXPECT_EQ(answer->status, "open");
  EXPECT_EQ(answer->base, "main");
  EXPECT_EQ(answer->repo, "you/shop");
  EXPECT_TRUE(answer->feedback_known);
  EXPECT_EQ(answer->review_decision, "APPROVED");
  EXPECT_TRUE(answer->no_checks);
  EXPECT_FALSE(answer->all_checks_pass) << "no pipeline yet is not all pass";
  act({{"login", "you"}, {"do", "draft"}, {"number", number}});
  EXPECT_FALSE(read(number)->feedback_known);
  EXPECT_EQ(read(number)->mergeable_state, "blocked");
  act({{"login", "you"}, {"do", "draft"}, {"number", number}, {"draft", false}});
  act({{"login", "you"}, {"do", "close"}, {"number", number}});
  EXPECT_EQ(read(number)->status, "closed");
  act({{"login", "you"}, {"do", "reopen"}, {"number", number}});
  EXPECT_EQ(settled(number).status, "open");
  act({{"login", "you"}, {"do", "merge"}, {"number", number}});
  EXPECT_EQ(read(number)->status, "merged");
}

TEST_F(GitLabTest, WhetherItCanBeMergedIsWorkedOutByOneRequestForAllThatChanged) {
  std::vector<PrPlace> places;
  for (const char* branch : {"a", "b", "c"}) {
    forge_.push(branch, branch, "work\n");
    places.push_back(place(forge_.open(branch)));
  }
  EXPECT_EQ(requests_of([&] { host().read(places); }), 1) << "they are new: their check has begun";
  for (const auto& answer : host().read(places)) EXPECT_EQ(answer->mergeable_state, "clean");
  for (const char* branch : {"a", "b", "c"}) forge_.push(branch, "more", "more\n");
  EXPECT_EQ(requests_of([&] {
              for (const auto& answer : host().read(places)) EXPECT_EQ(answer->mergeable_state, "unknown");
            }),
            2);
  EXPECT_EQ(requests_of([&] {
              for (const auto& answer : host().read(places)) EXPECT_EQ(answer->mergeable_state, "clean");
            }),
            1);
}

TEST_F(GitLabTest, WhatGitLabPassesOverIsAskedForByItself) {
  const int number = checked_request("work");
  forge_.push("work", "more", "more\n");
  fault({{"path", "/api/v4/projects/you/shop/merge_requests"}, {"status", 200}, {"body", "[]"}});
  EXPECT_EQ(read(number)->mergeable_state, "unknown");
  EXPECT_EQ(requests_of([&] { EXPECT_EQ(read(number)->mergeable_state, "unknown"); }), 2);
  EXPECT_EQ(settled(number).mergeable_state, "clean");
  forge_.push("work", "more", "and more\n");
  fault({{"path", "/api/v4/projects/you/shop/merge_requests"}, {"status", 503}});
  const auto down = read(number);
  ASSERT_FALSE(down);
  EXPECT_TRUE(down.error().transient);
}

TEST_F(GitLabTest, ConflictsAndWhatIsBehindAreToldApart) {
  const int conflicting = checked_request("work"), behind = checked_request("other");
  forge_.push("main", "work", "theirs\n");
  EXPECT_EQ(settled(conflicting).mergeable_state, "dirty");
  EXPECT_EQ(settled(behind).mergeable_state, "clean") << "what is behind can be merged";
  project({{"merge_method", "ff"}});
  EXPECT_EQ(settled(behind).mergeable_state, "behind");
  project({{"approvals_required", 1}});
  EXPECT_EQ(settled(conflicting).mergeable_state, "dirty") << "whatever else is missing";
}

TEST_F(GitLabTest, ThePipelineOfTheHeadIsWhatCounts) {
  const int number = checked_request("work");
  job("work", "build", "running");
  auto answer = read(number);
  EXPECT_TRUE(answer->checks_pending);
  EXPECT_FALSE(answer->no_checks || answer->all_checks_pass || answer->failing_checks);
  job("work", "lint", "failed", true);
  job("work", "build", "success");
  answer = read(number);
  EXPECT_TRUE(answer->all_checks_pass) << "a job that may fail has no say";
  EXPECT_FALSE(answer->failing_checks || answer->checks_pending);
  job("work", "tests", "failed");
  answer = read(number);
  EXPECT_TRUE(answer->failing_checks);
  EXPECT_FALSE(answer->all_checks_pass);
  EXPECT_THAT(answer->feedback, HasSubstr("Failing checks:\n- pipeline: failed, https://" + forge_.host()));
  EXPECT_THAT(answer->feedback, HasSubstr("- tests: failed, https://" + forge_.host() + "/you/shop/-/jobs/"));
  EXPECT_THAT(answer->feedback, Not(HasSubstr("lint")));
  forge_.push("work", "more", "more\n");
  answer = read(number);
  EXPECT_TRUE(answer->no_checks) << "a push has no pipeline yet";
  EXPECT_FALSE(answer->failing_checks || answer->all_checks_pass);
  job("work", "build", "skipped");
  answer = read(number);
  EXPECT_TRUE(answer->no_checks) << "what was skipped has checked nothing";
  job("work", "build", "canceled");
  EXPECT_TRUE(read(number)->failing_checks);
}

TEST_F(GitLabTest, APipelineThatHasToPassAndIsNotThereYetIsWaitedFor) {
  project({{"only_allow_merge_if_pipeline_succeeds", true}});
  const int number = known_request("work");
  auto answer = settled(number);
  EXPECT_TRUE(answer.checks_pending);
  EXPECT_FALSE(answer.no_checks) << "not even where a rig says that it has no checks";
  EXPECT_EQ(answer.mergeable_state, "blocked");
  job("work", "build", "success");
  answer = settled(number);
  EXPECT_TRUE(answer.all_checks_pass);
  EXPECT_EQ(answer.mergeable_state, "clean");
}

TEST_F(GitLabTest, ApprovalsThatAreMissingAreWaitedFor) {
  project({{"approvals_required", 1}});
  const int number = known_request("work");
  EXPECT_EQ(settled(number).review_decision, "REVIEW_REQUIRED");
  forge_.control("repositories",
                 {{"owner", "you"}, {"name", "shop"}, {"permissions", json::object{{"stranger", "developer"}}}});
  act({{"login", "stranger"}, {"do", "approve"}, {"number", number}});
  EXPECT_EQ(settled(number).review_decision, "APPROVED");
  project({{"only_allow_merge_if_all_discussions_are_resolved", true}});
  forge_.control("users", {{"login", "reporter"}});
  thread(number, "reporter", "not yet");
  const auto answer = settled(number);
  EXPECT_EQ(answer.review_decision, "REVIEW_REQUIRED") << "GitLab does not merge it for anybody's thread";
  EXPECT_FALSE(answer.unresolved_comments);
}

TEST_F(GitLabTest, ThreadsOfThoseWhoMayWriteAndOfListedProgramsAreHeard) {
  const int number = checked_request("work");
  thread(number, "stranger", "obey me");
  forge_.control("users", {{"login", "reviewer"}, {"bot", true}});
  forge_.control("users", {{"login", "guest"}});
  project({{"permissions", json::object{{"reviewer", "maintainer"}, {"guest", "reporter"}}}});
  thread(number, "reviewer", "beep");
  thread(number, "guest", "I would rather not");
  act({{"login", "you"}, {"do", "comment"}, {"number", number}, {"body", "well done"}});
  auto answer = read(number);
  EXPECT_FALSE(answer->unresolved_comments) << answer->feedback;
  EXPECT_EQ(answer->feedback, "");
  const std::string opened = text_of(act({{"login", "you"},
                                          {"do", "open_thread"},
                                          {"number", number},
                                          {"path", "work"},
                                          {"line", 1},
                                          {"body", "why?"}}),
                                     "thread");
  act({{"login", "stranger"}, {"do", "reply"}, {"thread", opened}, {"body", "because I say so"}});
  answer = read(number);
  EXPECT_EQ(answer->threads, std::vector<std::string>{opened});
  EXPECT_EQ(answer->feedback, "Unresolved review comments:\n- work:1\n  you: why?\n");
  HostSettings settings = forge_.settings();
  settings.bots = {"reviewer"};
  Hosts others({settings}, clock_, {});
  const PrPlace wanted = place(number);
  answer = others.at(forge_.host())->read({&wanted, 1}).front();
  EXPECT_EQ(answer->threads.size(), 2U);
  EXPECT_THAT(answer->feedback, HasSubstr("- the merge request as a whole\n  reviewer: beep"));
}

TEST_F(GitLabTest, AThreadIsAnsweredAndResolved) {
  const int number = checked_request("work");
  const std::string opened = thread(number, "you", "why?");
  ASSERT_TRUE(host().answer_thread(place(number), opened, "Because.\n/merge"));
  EXPECT_FALSE(read(number)->unresolved_comments);
  act({{"login", "you"}, {"do", "unresolve"}, {"thread", opened}});
  EXPECT_THAT(read(number)->feedback, HasSubstr("towny: Because.\n\\/merge"));
  EXPECT_TRUE(host().answer_thread(place(number), std::string(40, 'a'), "It is gone.")) << "that is fine";
  EXPECT_TRUE(host().comment(place(number), "Hello."));
}

TEST_F(GitLabTest, WhatDidNotChangeIsNotAskedAgain) {
  clock_.at = Instant{2'000'000'000'000};
  const int number = checked_request("work");
  const std::string opened = thread(number, "you", "why?");
  EXPECT_EQ(requests_of([&] { read(number); }), 3) << "how it stands, what was said, who may write";
  EXPECT_EQ(requests_of([&] { read(number); }), 1);
  act({{"login", "you"}, {"do", "reply"}, {"thread", opened}, {"body", "really?"}});
  forge_.control("clock", {{"advance_s", 5}});
  act({{"login", "you"}, {"do", "reply"}, {"thread", opened}, {"body", "really, really?"}});
  EXPECT_EQ(requests_of([&] { EXPECT_THAT(read(number)->feedback, HasSubstr("you: really, really?")); }), 2);
  clock_.pass(minutes(11));
  forge_.control("clock", {{"advance_s", 5}});
  act({{"login", "you"}, {"do", "reply"}, {"thread", opened}, {"body", "still there?"}});
  EXPECT_EQ(requests_of([&] { read(number); }), 3) << "who may write is asked again after a while";
}

TEST_F(GitLabTest, DiscussionsOfAllPagesAreRead) {
  const int number = checked_request("work");
  forge_.control("pages", {{"cap", 2}});
  for (int i = 0; i < 7; ++i) thread(number, "you", ("n" + std::to_string(i)).c_str());
  const auto answer = read(number);
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->threads.size(), 7U);
  EXPECT_THAT(answer->feedback, HasSubstr("you: n6"));
  const std::string theirs = thread(number, "stranger", "hello");
  for (const std::string& opened : answer->threads) act({{"login", "you"}, {"do", "resolve"}, {"thread", opened}});
  EXPECT_TRUE(read(number)->feedback_known);
  for (int i = 0; i < 2; ++i) act({{"login", "stranger"}, {"do", "reply"}, {"thread", theirs}, {"body", "hello"}});
  fault({{"path", "/api/graphql"},
         {"skip", 1},
         {"status", 200},
         {"body", R"({"data":{"project":null},"errors":[{"message":"Timeout on Note.body"}]})"}});
  const auto slow = read(number);
  ASSERT_FALSE(slow);
  EXPECT_TRUE(slow.error().transient);
  EXPECT_THAT(slow.error().why, HasSubstr("Timeout"));
  EXPECT_FALSE(read(number)->feedback_known) << "somebody may have spoken behind what is read of a thread";
}

TEST_F(GitLabTest, OpeningTwiceIsOpeningOnce) {
  const std::string head = forge_.push("work", "work", "work\n");
  NewPr wanted{{forge_.host(), "you/shop"}, "work", head, "main", std::string(300, 'W'), "It works.\n /approve\n"};
  const auto first = host().open(wanted);
  ASSERT_TRUE(first) << first.error().why;
  EXPECT_EQ(*first, place(1).url(HostKind::gitlab));
  EXPECT_EQ(*host().open(wanted), *first);
  EXPECT_EQ(host().look(place(1))->body, "It works.\n \\/approve\n");
  wanted.head = std::string(40, 'a');
  const auto another = host().open(wanted);
  ASSERT_FALSE(another);
  EXPECT_EQ(another.error().kind, "rejected");
  EXPECT_THAT(another.error().why, HasSubstr("Another open merge request already exists"));
  wanted.branch = "main";
  const auto nothing = host().open(wanted);
  ASSERT_FALSE(nothing);
  EXPECT_FALSE(nothing.error().transient);
  EXPECT_THAT(nothing.error().why, HasSubstr("same project/branch"));
}

TEST_F(GitLabTest, ARequestIsLookedAtAsItIsAdopted) {
  const int number = known_request("theirs");
  const auto page = host().look(place(number));
  ASSERT_TRUE(page) << page.error().why;
  EXPECT_EQ(page->title, "theirs");
  EXPECT_EQ(page->state, "open");
  EXPECT_EQ(page->branch, "theirs");
  EXPECT_EQ(page->target_branch, "main");
  EXPECT_EQ(page->head, read(number)->head);
  EXPECT_EQ(page->from, (HostedRepository{forge_.host(), "you/shop"}));
  EXPECT_EQ(host().head_ref(12), "refs/merge-requests/12/head");
}

TEST_F(GitLabTest, OnlyTheHeadThatWasSeenIsMerged) {
  const int number = checked_request("work");
  const std::string head = read(number)->head;
  const auto other = host().merge(place(number), std::string(40, 'a'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().status, 409);
  EXPECT_THAT(other.error().why, HasSubstr("SHA does not match"));
  act({{"login", "you"}, {"do", "draft"}, {"number", number}});
  EXPECT_THAT(host().merge(place(number), head).error().why, HasSubstr("it is closed or a draft"));
  act({{"login", "you"}, {"do", "draft"}, {"number", number}, {"draft", false}});
  forge_.control("protection", {{"repository", "you/shop"}, {"branch", "main"}});
  const auto protected_branch = host().merge(place(number), head);
  ASSERT_FALSE(protected_branch);
  EXPECT_EQ(protected_branch.error().status, 401);
  EXPECT_THAT(protected_branch.error().why, HasSubstr("may not merge into this branch"));
  forge_.control("protection", {{"repository", "you/shop"}, {"branch", "main"}, {"off", true}});
  forge_.push("main", "work", "theirs\n");
  const auto conflict = host().merge(place(number), head);
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().status, 422);
  EXPECT_FALSE(conflict.error().transient);
  const int clean = checked_request("clean");
  const auto merged = host().merge(place(clean), read(clean)->head);
  EXPECT_TRUE(merged) << merged.error().why;
  EXPECT_EQ(read(clean)->status, "merged");
}

TEST_F(GitLabTest, ProjectsWithinGroupsAreAskedAboutTogether) {
  std::vector<PrPlace> places;
  const auto project_with_one = [&](const std::string& owner, const std::string& name) {
    const std::string path = owner + "/" + name;
    const json::object permissions{{"towny", "developer"}, {"you", "developer"}};
    forge_.control("repositories", {{"owner", owner}, {"name", name}, {"permissions", permissions}});
    for (const char* branch : {"main", "work"})
      forge_.control("act", {{"login", "you"},
                             {"repository", path},
                             {"do", "push"},
                             {"branch", branch},
                             {"files", json::object{{branch, "x\n"}}}});
    forge_.control("act",
                   {{"login", "you"}, {"repository", path}, {"do", "open"}, {"head", "work"}, {"title", "Work"}});
    places.push_back({{forge_.host(), path}, 1});
  };
  for (std::size_t i = 0; i < GitLab::kProjects; ++i) project_with_one("acme/tools", "p" + std::to_string(i));
  EXPECT_EQ(requests_of([&] { host().read(places); }), 1);
  for (const auto& answer : host().read(places)) EXPECT_EQ(answer->mergeable_state, "clean");
  project_with_one("acme/tools/deep", "one-more");
  EXPECT_EQ(requests_of([&] { host().read(places); }), 2) << "GitLab takes no query of any size";
  EXPECT_TRUE(host().check(places.back().repository));
  EXPECT_TRUE(host().merge(places.back(), host().look(places.back())->head));
}

TEST_F(GitLabTest, RefusalsAreTyped) {
  const int number = checked_request("work");
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
  const std::int64_t reset = (clock_.now().ms / 1000) + 40;
  const Refusal spent = refused(
      number, {{"path", path},
               {"status", 429},
               {"headers", json::object{{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", std::to_string(reset)}}}});
  EXPECT_EQ(spent.rest_until, clock_.now() + seconds(40));
  forge_.control("limits", {{"token", forge_.settings().token}, {"remaining", 0}});
  const auto limited = read(number);
  ASSERT_FALSE(limited);
  EXPECT_TRUE(limited.error().transient);
  EXPECT_GT(limited.error().rest_until, clock_.now());
  forge_.control("limits", {{"token", forge_.settings().token}, {"remaining", 2000}});
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "<html>login</html>"}}).kind,
            "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "{}"}}).kind, "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"cut", 40}}).kind, "network");
  EXPECT_EQ(refused(number, {{"path", path}, {"drop", true}}).kind, "network");
  const Refusal timed_out = refused(
      number, {{"path", path}, {"status", 200}, {"body", R"({"errors":[{"message":"Timeout on MergeRequest.x"}]})"}});
  EXPECT_TRUE(timed_out.transient);
  EXPECT_THAT(timed_out.why, HasSubstr("Timeout"));
  const Refusal old = refused(
      number,
      {{"path", path},
       {"status", 200},
       {"body", R"({"errors":[{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}]})"}});
  EXPECT_FALSE(old.transient);
  EXPECT_THAT(refused(number, {{"path", path}, {"redirect", "https://127.0.0.1:9/steal"}}).why, HasSubstr("redirect"));
  const std::vector<PrPlace> places{{{forge_.host(), "you/nothing"}, 1}, place(99), place(number)};
  const auto answers = host().read(places);
  for (const std::size_t missing : {0U, 1U}) {
    ASSERT_FALSE(answers[missing]);
    EXPECT_EQ(answers[missing].error().status, 404);
    EXPECT_FALSE(answers[missing].error().transient);
  }
  EXPECT_TRUE(answers[2]) << "one that is missing hides no other";
}

TEST_F(GitLabTest, ATokenThatMayNotIsNamedWithWhatItLacks) {
  const HostedRepository shop{forge_.host(), "you/shop"};
  const auto with = [this](const json::object& token) {
    HostSettings settings = forge_.settings();
    settings.token = text_of(forge_.control("tokens", token), "token");
    return settings;
  };
  Hosts reading({with({{"login", "towny"}, {"scopes", json::array{"read_api"}}})}, clock_, {});
  const auto only_reads = reading.at(forge_.host())->check(shop);
  ASSERT_FALSE(only_reads);
  EXPECT_EQ(only_reads.error().why, "the token lacks the scope api");
  const auto lacking = reading.at(forge_.host())->comment(place(1), "Hello.");
  ASSERT_FALSE(lacking);
  EXPECT_FALSE(lacking.error().transient);
  EXPECT_THAT(lacking.error().why, HasSubstr("the token lacks the scope api"));
  const HostSettings ended = with({{"login", "towny"}});
  forge_.control("tokens", {{"revoke", ended.token}});
  Hosts revoked({ended}, clock_, {});
  const auto unknown = revoked.at(forge_.host())->check(shop);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().status, 401);
  EXPECT_THAT(unknown.error().why, HasSubstr("make a new one"));
  EXPECT_THAT(unknown.error().why, HasSubstr("revoked"));
  project({{"permissions", json::object{{"stranger", "reporter"}}}});
  Hosts reporters({with({{"login", "stranger"}})}, clock_, {});
  EXPECT_THAT(reporters.at(forge_.host())->check(shop).error().why, HasSubstr("may not write"));
  EXPECT_TRUE(host().check(shop));
}

TEST_F(GitLabTest, AProjectThatWasRenamedOrPutAwayIsNamedAsThat) {
  const HostedRepository shop{forge_.host(), "you/shop"};
  const int number = checked_request("work");
  project({{"archived", true}});
  EXPECT_THAT(host().check(shop).error().why, HasSubstr("archived"));
  EXPECT_EQ(host().comment(place(number), "Hello.").error().status, 403);
  project({{"archived", false}});
  forge_.control("rename", {{"repository", "you/shop"}, {"to", "store"}});
  EXPECT_THAT(host().check(shop).error().why, HasSubstr("was the repository renamed?"));
  const auto merged = host().merge(place(number), std::string(40, 'a'));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().status, 405);
  EXPECT_THAT(merged.error().why, HasSubstr("was the repository renamed?"));
}

// ---- without a host ----------------------------------------------------------------------------------------------

const PrPlace kPlace{{"gitlab.com", "acme/shop"}, 7};

json::value standing(const json::object& differs) {
  json::object request{{"iid", "7"},
                       {"state", "opened"},
                       {"draft", false},
                       {"diffHeadSha", "c1"},
                       {"detailedMergeStatus", "MERGEABLE"},
                       {"conflicts", false},
                       {"targetBranch", "main"},
                       {"headPipeline", {{"sha", "c1"}, {"status", "SUCCESS"}, {"path", "/p/1"}}},
                       {"discussions", json::object{{"nodes", json::array()}}}};
  for (const auto& [name, value] : differs) request[name] = value;
  return request;
}

TEST(GitLabAnswer, SaysOfEachStatusWhatStandsInTheWay) {
  const std::vector<std::pair<const char*, const char*>> states{
      {"UNCHECKED", "unknown"},    {"CHECKING", "unknown"},       {"PREPARING", "unknown"},
      {"MERGEABLE", "clean"},      {"CONFLICT", "dirty"},         {"NEED_REBASE", "behind"},
      {"NOT_APPROVED", "blocked"}, {"COMMITS_STATUS", "blocked"}, {"LOCKED_PATHS", "blocked"}};
  for (const auto& [status, state] : states)
    EXPECT_EQ(read_merge_request(standing({{"detailedMergeStatus", status}}), kPlace, {}, false)->mergeable_state,
              state);
  const auto empty = standing({{"detailedMergeStatus", "COMMITS_STATUS"}, {"conflicts", true}});
  EXPECT_EQ(read_merge_request(empty, kPlace, {}, false)->mergeable_state, "blocked") << "nobody can resolve that";
  const auto changes = standing({{"detailedMergeStatus", "REQUESTED_CHANGES"}});
  EXPECT_EQ(read_merge_request(changes, kPlace, {}, false)->review_decision, "CHANGES_REQUESTED");
  const auto merging = read_merge_request(standing({{"state", "locked"}}), kPlace, {}, false);
  EXPECT_EQ(merging->status, "open");
  EXPECT_EQ(merging->mergeable_state, "unknown");
  EXPECT_FALSE(merging->feedback_known);
  const auto unchecked = read_merge_request(standing({{"detailedMergeStatus", "UNCHECKED"}}), kPlace, {}, false);
  EXPECT_EQ(unchecked->review_decision, "") << "it is not known either";
}

TEST(GitLabAnswer, APipelineOfAnotherCommitSaysNothingUnlessItIsOfMergedResults) {
  json::object pipeline{{"sha", "m1"}, {"ref", "work"}, {"status", "SUCCESS"}, {"path", "/p/1"}};
  const auto answer = [&pipeline] {
    return read_merge_request(standing({{"headPipeline", pipeline}}), kPlace, {}, false);
  };
  EXPECT_TRUE(answer()->no_checks);
  EXPECT_FALSE(answer()->all_checks_pass);
  pipeline["ref"] = "refs/merge-requests/7/merge";
  EXPECT_TRUE(answer()->all_checks_pass);
  pipeline["ref"] = "refs/merge-requests/77/merge";
  EXPECT_FALSE(answer()->all_checks_pass);
}

TEST(GitLabAnswer, WithoutAHeadNothingIsKnown) {
  const auto preparing = read_merge_request(
      standing({{"diffHeadSha", nullptr}, {"detailedMergeStatus", "PREPARING"}, {"headPipeline", nullptr}}), kPlace, {},
      false);
  ASSERT_TRUE(preparing);
  EXPECT_FALSE(preparing->feedback_known);
  EXPECT_EQ(preparing->mergeable_state, "unknown");
  EXPECT_FALSE(read_merge_request(standing({{"state", "strange"}}), kPlace, {}, false));
  EXPECT_FALSE(read_merge_request(standing({{"discussions", nullptr}}), kPlace, {}, false));
}

TEST(GitLabAnswer, OfAHundredThreadsMoreAreNotWorkedOnTogether) {
  const std::vector<GitLabDiscussion> many(101, {"d", "- file:1\n  you: why?", false});
  const auto answer = read_merge_request(standing({}), kPlace, many, false);
  EXPECT_TRUE(answer->unresolved_comments);
  EXPECT_EQ(answer->threads.size(), 100U);
  EXPECT_LT(answer->feedback.size(), 21'000U);
}

TEST(GitLabAnswer, NoLineThatTowndWritesIsAQuickAction) {
  EXPECT_EQ(without_quick_actions("/merge"), "\\/merge");
  EXPECT_EQ(without_quick_actions("done\r/close\n  /approve now\nsee a/b"),
            "done\r\\/close\n  \\/approve now\nsee a/b");
}

}  // namespace
}  // namespace townd::test
