#include "forge/gitea.hpp"

#include <gmock/gmock.h>

#include "hosts_fixture.hpp"

namespace townd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class GiteaTest : public HostsFixture {
 protected:
  GiteaTest() : HostsFixture(HostKind::gitea) {}

  /// As it is before it is merged: with nothing remembered.
  events::PollAnswer fresh(int number) {
    host().forget(place(number));
    const auto answer = read(number);
    EXPECT_TRUE(answer) << answer.error().why;
    return answer.value_or(events::PollAnswer{});
  }
  /// When Gitea has worked out whether it can be merged.
  events::PollAnswer settled(int number) {
    for (int i = 0; i < Gitea::kRefusedReads && fresh(number).mergeable_state == "unknown"; ++i)
      clock_.pass(Gitea::kBetweenReads);
    return fresh(number);
  }
  int checked_request(const std::string& branch) {
    const int number = known_request(branch);
    EXPECT_EQ(settled(number).mergeable_state, "clean");
    return number;
  }
  void repository(json::object settings) {
    settings.emplace("owner", "you");
    settings.emplace("name", "shop");
    forge_.control("repositories", settings);
  }
  void protect(json::object rules) {
    rules.emplace("repository", "you/shop");
    rules.emplace("branch", "main");
    forge_.control("protection", rules);
  }
  void version(const char* text) { forge_.control("server", {{"version", text}}); }
  void status(const std::string& branch, const std::string& context, const char* state) {
    forge_.control("checks", {{"repository", "you/shop"},
                              {"branch", branch},
                              {"context", context},
                              {"state", state},
                              {"target_url", "https://ci.example/" + context}});
  }
  std::string thread(int number, const char* login, const char* body) {
    return as_text(member_of(act({{"login", login},
                                  {"do", "open_thread"},
                                  {"number", number},
                                  {"path", "work"},
                                  {"line", 1},
                                  {"body", body}}),
                             "thread"));
  }
  void on_thread(const char* login, const char* what, const std::string& thread, const char* body = nullptr) {
    json::object said{{"login", login}, {"do", what}, {"thread", std::stoll(thread)}};
    if (body != nullptr) said.emplace("body", body);
    act(said);
  }
  int requests_of(const std::function<void()>& what) {
    const std::int64_t mark = forge_.requests_since(0).second;
    what();
    return forge_.requests_since(mark).first;
  }
};

/// They are reviewed and their checks have passed: the list says what is to be known.
TEST_F(GiteaTest, ThirtyOpenRequestsCostOneRequestAMinute) {
  clock_.at = Instant{2'000'000'000'000};  // later than what is said here
  std::vector<int> numbers;
  for (int i = 0; i < 30; ++i) {
    numbers.push_back(known_request("b" + std::to_string(i)));
    status("b" + std::to_string(i), "build", "success");
    if (i % 3 == 0) act({{"login", "you"}, {"do", "comment"}, {"number", numbers.back()}, {"body", "well done"}});
  }
  for (const int number : numbers) settled(number);
  cost_one_request_a_minute(numbers);
}

TEST_F(GiteaTest, WhatNoListShowsIsLookedForByOneMoreRequestAMinute) {
  clock_.at = Instant{2'000'000'000'000};
  std::vector<int> numbers;
  for (int i = 0; i < 12; ++i) {
    const std::string branch = "b" + std::to_string(i);
    numbers.push_back(known_request(branch));
    if (i % 3 == 0) thread(numbers.back(), "you", "why?");
    if (i % 3 == 1) status(branch, "build", "failure");
  }
  for (const int number : numbers) settled(number);
  clock_.pass(minutes(11));  // checks that were to come would have come
  std::vector<PrPlace> places;
  for (const int number : numbers) places.push_back(place(number));
  host().read(places);
  constexpr int kMinutes = 120;
  const int asked = requests_of([&] {
    for (int minute = 0; minute < kMinutes; ++minute) {
      clock_.pass(minutes(1));
      for (const auto& answer : host().read(places)) ASSERT_TRUE(answer) << answer.error().why;
    }
  });
  std::cout << asked << " requests in " << kMinutes << " minutes\n";
  EXPECT_LE(asked, 2 * kMinutes + 5);
  status("b2", "build", "success");
  status("b1", "build", "success");
  for (int minute = 0; minute < 30; ++minute, clock_.pass(minutes(1))) host().read(places);
  const auto answers = host().read(places);
  EXPECT_TRUE(answers[1]->all_checks_pass) << "somebody has run it again";
  EXPECT_TRUE(answers[2]->all_checks_pass) << "it was late";
}

TEST_F(GiteaTest, ARequestStandsAsTheForgeSays) {
  const int number = checked_request("work");
  auto answer = fresh(number);
  EXPECT_EQ(answer.provider, "gitea");
  EXPECT_EQ(answer.status, "open");
  EXPECT_EQ(answer.base, "main");
  EXPECT_EQ(answer.repo, "you/shop");
  EXPECT_EQ(answer.pr_number, number);
  EXPECT_TRUE(answer.feedback_known);
  EXPECT_EQ(answer.review_decision, "APPROVED");
  EXPECT_TRUE(answer.no_checks);
  EXPECT_FALSE(answer.all_checks_pass) << "no check yet is not all pass";
  act({{"login", "you"}, {"do", "draft"}, {"number", number}});
  EXPECT_FALSE(fresh(number).feedback_known);
  EXPECT_EQ(fresh(number).mergeable_state, "blocked");
  act({{"login", "you"}, {"do", "draft"}, {"number", number}, {"draft", false}});
  act({{"login", "you"}, {"do", "close"}, {"number", number}});
  EXPECT_EQ(read(number)->status, "closed");
  act({{"login", "you"}, {"do", "reopen"}, {"number", number}});
  EXPECT_EQ(settled(number).status, "open");
  act({{"login", "you"}, {"do", "merge"}, {"number", number}});
  EXPECT_EQ(read(number)->status, "merged");
}

TEST_F(GiteaTest, AConflictIsOneOnlyWhenItIsSaidAgainAndAgain) {
  const int number = checked_request("work"), other = checked_request("other");
  repository({{"checking_reads", 2}});
  forge_.push("main", "work", "theirs\n");
  const std::vector<PrPlace> places{place(number), place(other)};
  const auto poll = [&] {
    const auto answers = host().read(places);
    return answers[0]->mergeable_state + " " + answers[1]->mergeable_state;
  };
  EXPECT_EQ(poll(), "unknown unknown") << "it is being worked out";
  for (int i = 0; i < 5; ++i) EXPECT_THAT(poll(), HasSubstr("unknown ")) << "all of them are one moment";
  clock_.pass(Gitea::kBetweenReads);
  EXPECT_EQ(poll(), "unknown clean");
  clock_.pass(Gitea::kBetweenReads);
  EXPECT_EQ(poll(), "dirty clean");
  EXPECT_EQ(settled(number).mergeable_state, "dirty");
  forge_.push("work", "more", "more\n");
  EXPECT_EQ(fresh(number).mergeable_state, "unknown") << "it is another one";
  forge_.push("main", "work", "work\n");
  EXPECT_EQ(settled(number).mergeable_state, "clean");
}

TEST_F(GiteaTest, OneWhoseTargetWantsItsTipInItIsBehindOnceItWasRefused) {
  const int number = checked_request("work");
  forge_.push("main", "elsewhere", "more\n");
  EXPECT_EQ(settled(number).mergeable_state, "clean") << "what is behind can be merged";
  protect({{"block_on_outdated_branch", true}});
  const std::string head = settled(number).head;
  const auto merged = host().merge(place(number), head);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().status, 405);
  EXPECT_FALSE(merged.error().transient);
  EXPECT_THAT(merged.error().why, HasSubstr("behind the base branch"));
  EXPECT_EQ(fresh(number).mergeable_state, "behind");
  act({{"login", "you"}, {"do", "update"}, {"number", number}});
  EXPECT_EQ(settled(number).mergeable_state, "clean");
  EXPECT_TRUE(host().merge(place(number), settled(number).head));
}

TEST_F(GiteaTest, StatusesOfTheHeadAreWhatCounts) {
  const int number = checked_request("work");
  forge_.control("pages", {{"cap", 2}});
  for (int i = 0; i < 5; ++i) status("work", "part-" + std::to_string(i), "success");
  status("work", "build", "pending");
  auto answer = fresh(number);
  EXPECT_TRUE(answer.checks_pending);
  EXPECT_FALSE(answer.no_checks || answer.all_checks_pass || answer.failing_checks);
  status("work", "build", "warning");
  status("work", "deploy", "skipped");
  answer = *read(number);
  EXPECT_TRUE(answer.all_checks_pass) << "what is to come is asked for; the newest of each counts";
  EXPECT_FALSE(answer.unchecked_runs || answer.checks_pending || answer.failing_checks);
  status("work", "part-0", "failure");
  status("work", "tests", "error");
  answer = fresh(number);
  EXPECT_TRUE(answer.failing_checks);
  EXPECT_FALSE(answer.all_checks_pass);
  EXPECT_THAT(answer.feedback, HasSubstr("Failing checks:\n"));
  EXPECT_THAT(answer.feedback, HasSubstr("- part-0: failure, https://ci.example/part-0\n"));
  EXPECT_THAT(answer.feedback, HasSubstr("- tests: error, https://ci.example/tests\n"));
  forge_.push("work", "more", "more\n");
  answer = fresh(number);
  EXPECT_TRUE(answer.no_checks) << "a push has no status yet";
  EXPECT_FALSE(answer.failing_checks || answer.all_checks_pass);
  version("15.0.3+gitea-1.22.0");
  EXPECT_TRUE(fresh(number).no_checks) << "where nothing is filled in too";
}

TEST_F(GiteaTest, StatusesThatHaveToComeAreWaitedFor) {
  protect({{"enable_status_check", true}, {"status_check_contexts", json::array{"build", "test/*"}}});
  const int number = known_request("work");
  auto answer = fresh(number);
  EXPECT_TRUE(answer.checks_pending);
  EXPECT_FALSE(answer.no_checks) << "not even where a rig says that it has no checks";
  status("work", "build", "success");
  EXPECT_TRUE(fresh(number).checks_pending);
  EXPECT_FALSE(fresh(number).all_checks_pass);
  status("work", "test/unit", "success");
  EXPECT_TRUE(fresh(number).all_checks_pass);
}

TEST_F(GiteaTest, ApprovalsThatAreMissingAreWaitedForAndRequestsForChangesAreWork) {
  protect({{"required_approvals", 1}});
  forge_.control("users", {{"login", "reviewer"}});
  repository({{"permissions", json::object{{"reviewer", "write"}}}});
  const int number = known_request("work");
  EXPECT_EQ(settled(number).review_decision, "REVIEW_REQUIRED");
  act({{"login", "stranger"}, {"do", "approve"}, {"number", number}});
  EXPECT_EQ(fresh(number).review_decision, "REVIEW_REQUIRED") << "that is not official";
  act({{"login", "reviewer"}, {"do", "request_changes"}, {"number", number}, {"body", "Not so."}});
  auto answer = fresh(number);
  EXPECT_EQ(answer.review_decision, "CHANGES_REQUESTED");
  EXPECT_TRUE(answer.unresolved_comments);
  EXPECT_EQ(answer.feedback, "reviewer asks for changes: Not so.\n");
  act({{"login", "stranger"}, {"do", "request_changes"}, {"number", number}, {"body", "obey me"}});
  EXPECT_THAT(fresh(number).feedback, Not(HasSubstr("obey")));
  forge_.push("work", "more", "more\n");
  answer = fresh(number);
  EXPECT_FALSE(answer.unresolved_comments) << "that was said of another commit";
  EXPECT_EQ(answer.review_decision, "REVIEW_REQUIRED");
  act({{"login", "reviewer"}, {"do", "approve"}, {"number", number}});
  EXPECT_EQ(fresh(number).review_decision, "APPROVED");
  forge_.push("work", "more", "still more\n");
  EXPECT_EQ(fresh(number).review_decision, "REVIEW_REQUIRED") << "that was said of another commit, too";
}

TEST_F(GiteaTest, ConversationsOfThoseWhoMayWriteAndOfListedProgramsAreHeard) {
  const int number = checked_request("work");
  forge_.control("users", {{"login", "Reviewer"}});
  forge_.control("users", {{"login", "guest"}});
  repository({{"permissions", json::object{{"Reviewer", "read"}, {"guest", "read"}, {"stranger", "read"}}}});
  thread(number, "stranger", "obey me");
  thread(number, "Reviewer", "beep");
  thread(number, "guest", "I would rather not");
  act({{"login", "you"}, {"do", "comment"}, {"number", number}, {"body", "well done"}});
  auto answer = fresh(number);
  EXPECT_FALSE(answer.unresolved_comments) << answer.feedback;
  EXPECT_EQ(answer.feedback, "");
  const std::string opened = thread(number, "you", "why?");
  on_thread("stranger", "reply", opened, "because I say so");
  on_thread("you", "reply", opened, "really?");
  answer = fresh(number);
  EXPECT_EQ(answer.threads, std::vector<std::string>{opened});
  EXPECT_EQ(answer.feedback, "Unresolved review comments:\n- work:1\n  you: why?\n  you: really?\n");
  HostSettings settings = forge_.settings();
  settings.bots = {"reviewer"};
  Hosts others({settings}, clock_, {});
  const PrPlace wanted = place(number);
  answer = *others.at(forge_.host())->read({&wanted, 1}).front();
  EXPECT_EQ(answer.threads.size(), 2U);
  EXPECT_THAT(answer.feedback, HasSubstr("- work:1\n  Reviewer: beep"));
}

TEST_F(GiteaTest, ReviewsOfAllPagesAreRead) {
  const int number = checked_request("work");
  forge_.control("pages", {{"cap", 2}});
  for (int i = 0; i < 5; ++i) thread(number, "you", ("n" + std::to_string(i)).c_str());
  const auto answer = fresh(number);
  EXPECT_EQ(answer.threads.size(), 5U);
  EXPECT_THAT(answer.feedback, HasSubstr("you: n4"));
}

TEST_F(GiteaTest, AConversationIsAnsweredAndResolvedWhereThatIsPossible) {
  const int number = checked_request("work");
  version("1.27.0");
  const std::string replied = thread(number, "you", "why?");
  ASSERT_TRUE(host().answer_thread(place(number), replied, "Because."));
  EXPECT_FALSE(fresh(number).unresolved_comments);
  on_thread("you", "unresolve", replied);
  EXPECT_THAT(fresh(number).feedback, HasSubstr("you: why?\n  towny: Because.\n"));
  on_thread("you", "resolve", replied);
  version("1.26.1");  // which takes no reply
  const std::string said = thread(number, "you", "and this?");
  ASSERT_TRUE(host().answer_thread(place(number), said, "So it is."));
  EXPECT_FALSE(fresh(number).unresolved_comments);
  on_thread("you", "unresolve", said);
  EXPECT_TRUE(fresh(number).unresolved_comments) << "somebody is not content";
  EXPECT_TRUE(host().answer_thread(place(number), "123456", "It is gone.")) << "that is fine";
  EXPECT_TRUE(host().comment(place(number), "Hello."));
}

TEST_F(GiteaTest, WhereNothingCanBeResolvedAnAnswerIsRecognizedByWhatItAnswers) {
  const int number = checked_request("work");
  for (const char* old : {"1.25.3", "15.0.3+gitea-1.22.0"}) {
    version(old);
    const std::string opened = thread(number, "you", "why?");
    EXPECT_EQ(fresh(number).threads, std::vector<std::string>{opened});
    ASSERT_TRUE(host().answer_thread(place(number), opened, "Because."));
    EXPECT_FALSE(fresh(number).unresolved_comments) << old;
    Hosts restarted({forge_.settings()}, clock_, {});
    const PrPlace wanted = place(number);
    EXPECT_FALSE(restarted.at(forge_.host())->read({&wanted, 1}).front()->unresolved_comments);
    const std::string quoted = "Answer to " + wanted.url(HostKind::gitea) + "#issuecomment-" + opened + "\nNo.";
    forge_.control("clock", {{"advance_s", 2}});
    on_thread("you", "reply", opened, "really?");
    act({{"login", "stranger"}, {"do", "comment"}, {"number", number}, {"body", quoted}});
    EXPECT_THAT(fresh(number).feedback, HasSubstr("you: why?\n  you: really?")) << "more was said since";
    on_thread("you", "resolve", opened);
  }
}

TEST_F(GiteaTest, WhatDidNotChangeIsNotAskedAgain) {
  clock_.at = Instant{2'000'000'000'000};
  const int number = checked_request("work"), other = checked_request("other");
  status("work", "build", "success");
  status("other", "build", "success");
  const std::string opened = thread(number, "you", "why?");
  fresh(other);
  EXPECT_EQ(requests_of([&] { fresh(number); }), 5) << "it, reviews, a review's comments, who writes, statuses";
  const std::vector<PrPlace> places{place(number), place(other)};
  EXPECT_EQ(requests_of([&] { host().read(places); }), 1);
  on_thread("you", "reply", opened, "really?");
  EXPECT_EQ(requests_of([&] { EXPECT_THAT(host().read(places)[0]->feedback, HasSubstr("you: really?")); }), 5);
  on_thread("you", "resolve", opened);
  EXPECT_TRUE(host().read(places)[0]->unresolved_comments) << "no list shows that";
  clock_.pass(minutes(10));
  EXPECT_FALSE(host().read(places)[0]->unresolved_comments);
  act({{"login", "you"}, {"do", "close"}, {"number", other}});
  EXPECT_EQ(requests_of([&] { EXPECT_EQ(host().read(places)[1]->status, "closed"); }), 2);
  EXPECT_EQ(requests_of([&] { EXPECT_EQ(host().read(places)[1]->status, "closed"); }), 1);
  act({{"login", "you"}, {"do", "reopen"}, {"number", other}});
  EXPECT_EQ(host().read(places)[1]->status, "open");
}

TEST_F(GiteaTest, AWebhookHasMoreReadThanAListShows) {
  const int number = checked_request("work"), other = checked_request("other");
  for (const char* branch : {"work", "other"}) status(branch, "build", "success");
  const auto poll = [&](int which) { return hosts_.poll(TownId("t"), RigId("r"), place(which), seconds(59)); };
  for (const int which : {number, other}) ASSERT_TRUE(poll(which)->all_checks_pass);
  status("work", "build", "failure");
  hosts_.changed(RigId("r"), number);
  EXPECT_TRUE(poll(number)->failing_checks);
  act({{"login", "you"}, {"do", "close"}, {"number", other}});
  hosts_.changed(RigId("r"), other);
  EXPECT_EQ(poll(other)->status, "closed");
}

TEST_F(GiteaTest, PullRequestsAreListedOnAllPages) {
  std::vector<PrPlace> places;
  for (const char* branch : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) {
    places.push_back(place(checked_request(branch)));
    status(branch, "build", "success");
  }
  clock_.at = Instant{2'000'000'000'000};
  host().read(places);
  forge_.control("pages", {{"cap", 2}});
  EXPECT_EQ(requests_of([&] {
              for (const auto& answer : host().read(places)) EXPECT_EQ(answer->status, "open");
            }),
            4 + 2)
      << "what is far down is read alone";
}

TEST_F(GiteaTest, OpeningTwiceIsOpeningOnce) {
  const std::string head = forge_.push("work", "work", "work\n");
  NewPr wanted{{forge_.host(), "you/shop"}, "work", head, "main", std::string(300, 'W'), "It works.\n"};
  const auto first = host().open(wanted);
  ASSERT_TRUE(first) << first.error().why;
  EXPECT_EQ(*first, place(1).url(HostKind::gitea));
  EXPECT_EQ(*host().open(wanted), *first);
  EXPECT_EQ(host().look(place(1))->body, "It works.\n");
  wanted.head = std::string(40, 'a');
  const auto another = host().open(wanted);
  ASSERT_FALSE(another);
  EXPECT_EQ(another.error().kind, "rejected");
  EXPECT_THAT(another.error().why, HasSubstr("pull request already exists"));
  wanted.branch = "main";
  const auto nothing = host().open(wanted);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().status, 422);
  EXPECT_FALSE(nothing.error().transient);
  EXPECT_THAT(nothing.error().why, HasSubstr("no changes between the head and the base"));
  wanted.branch = "gone";
  EXPECT_EQ(host().open(wanted).error().status, 404);
}

TEST_F(GiteaTest, ARequestIsLookedAtAsItIsAdopted) {
  const int number = known_request("theirs");
  const auto page = host().look(place(number));
  ASSERT_TRUE(page) << page.error().why;
  EXPECT_EQ(page->title, "theirs");
  EXPECT_EQ(page->state, "open");
  EXPECT_EQ(page->branch, "theirs");
  EXPECT_EQ(page->target_branch, "main");
  EXPECT_EQ(page->head, read(number)->head);
  EXPECT_EQ(page->from, (HostedRepository{forge_.host(), "you/shop"}));
  EXPECT_EQ(host().head_ref(12), "refs/pull/12/head");
}

TEST_F(GiteaTest, OnlyTheHeadThatWasSeenIsMerged) {
  const int number = checked_request("work");
  const std::string head = fresh(number).head;
  const auto other = host().merge(place(number), std::string(40, 'a'));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().status, 409);
  EXPECT_THAT(other.error().why, HasSubstr("head out of date"));
  act({{"login", "you"}, {"do", "draft"}, {"number", number}});
  EXPECT_THAT(host().merge(place(number), head).error().why, HasSubstr("Work in progress"));
  act({{"login", "you"}, {"do", "draft"}, {"number", number}, {"draft", false}});
  for (const char* of : {"1.26.1", "1.22.0"}) {
    version(of);
    protect({{"required_approvals", 1}});
    settled(number);
    const auto unapproved = host().merge(place(number), head);
    ASSERT_FALSE(unapproved);
    EXPECT_FALSE(unapproved.error().transient);
    EXPECT_THAT(unapproved.error().why, HasSubstr("Does not have enough approvals"));
  }
  protect({{"merge_whitelist_usernames", json::array{"you"}}, {"required_approvals", 0}});
  EXPECT_THAT(host().merge(place(number), head).error().why, HasSubstr("User not allowed to merge PR"));
  protect({{"off", true}});
  forge_.push("main", "elsewhere", "theirs\n");
  const auto early = host().merge(place(number), head);
  ASSERT_FALSE(early);
  EXPECT_TRUE(early.error().transient) << "whether it can be merged is being worked out";
  fault({{"path", "*/merge"}, {"status", 409}, {"body", R"({"Style":"squash","StdOut":"","StdErr":"","Err":{}})"}});
  const auto conflict = host().merge(place(number), head);
  EXPECT_EQ(conflict.error().status, 409);
  EXPECT_FALSE(conflict.error().transient);
  EXPECT_EQ(conflict.error().why, "it conflicts with its target");
  settled(number);
  ASSERT_TRUE(host().merge(place(number), head));
  EXPECT_EQ(fresh(number).status, "merged");
  EXPECT_EQ(host().merge(place(number), head).error().why, "it is merged already");
  const int closed = checked_request("closed");
  act({{"login", "you"}, {"do", "close"}, {"number", closed}});
  EXPECT_EQ(host().merge(place(closed), fresh(closed).head).error().status, 404);
}

TEST_F(GiteaTest, AWayOfMergingThatIsAllowedIsFound) {
  json::object ways{{"allow_squash_merge", false}};
  for (const char* next : {"allow_merge_commits", "allow_rebase", "allow_rebase_explicit"}) {
    repository(ways);
    const int number = checked_request(next);
    const auto merged = host().merge(place(number), fresh(number).head);
    EXPECT_TRUE(merged) << next << ": " << merged.error().why;
    ways[next] = false;
  }
  repository(ways);
  const int number = checked_request("none");
  EXPECT_THAT(host().merge(place(number), fresh(number).head).error().why, HasSubstr("allowed merge style"));
}

TEST_F(GiteaTest, RefusalsAreTyped) {
  const int number = checked_request("work");
  const std::string path = "/api/v1/repos/you/shop/pulls/" + std::to_string(number);
  for (const int status : {500, 502, 503}) {
    const Refusal refusal = refused(number, {{"path", path}, {"status", status}, {"body", "<html>down</html>"}});
    EXPECT_EQ(refusal.kind, "http_error");
    EXPECT_TRUE(refusal.transient) << status;
  }
  const Refusal later =
      refused(number, {{"path", path}, {"status", 429}, {"headers", json::object{{"Retry-After", "90"}}}});
  EXPECT_TRUE(later.transient);
  EXPECT_EQ(later.rest_until, clock_.now() + seconds(90));
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "<html>login</html>"}}).kind,
            "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"status", 200}, {"body", "{}"}}).kind, "invalid_response");
  host().forget(place(number));
  EXPECT_EQ(refused(number, {{"path", path + "/reviews"}, {"status", 200}, {"body", "{}"}}).kind, "invalid_response");
  EXPECT_EQ(refused(number, {{"path", path}, {"cut", 40}}).kind, "network");
  EXPECT_EQ(refused(number, {{"path", path}, {"drop", true}}).kind, "network");
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

TEST_F(GiteaTest, ATokenThatMayNotIsNamedWithWhatItLacksAndIsNotTold) {
  const HostedRepository shop{forge_.host(), "you/shop"};
  const auto with = [this](const json::object& token) {
    HostSettings settings = forge_.settings();
    settings.token = text_of(forge_.control("tokens", token), "token");
    return settings;
  };
  Hosts reading({with({{"login", "towny"}, {"scopes", json::array{"read:repository"}}})}, clock_, {});
  EXPECT_TRUE(reading.at(forge_.host())->check(shop));
  const auto lacking = reading.at(forge_.host())->comment(place(1), "Hello.");
  ASSERT_FALSE(lacking);
  EXPECT_FALSE(lacking.error().transient);
  EXPECT_THAT(lacking.error().why, HasSubstr("write:issue"));
  const HostSettings ended = with({{"login", "towny"}});
  forge_.control("tokens", {{"revoke", ended.token}});
  Hosts revoked({ended}, clock_, {});
  for (const char* of : {"1.26.1", "15.0.3+gitea-1.22.0"}) {
    version(of);
    const auto unknown = revoked.at(forge_.host())->check(shop);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().status, 401);
    EXPECT_THAT(unknown.error().why, HasSubstr("make a new one"));
    EXPECT_THAT(unknown.error().why, Not(HasSubstr(ended.token))) << "a Forgejo repeats it";
  }
  repository({{"permissions", json::object{{"stranger", "read"}}}});
  Hosts readers({with({{"login", "stranger"}})}, clock_, {});
  EXPECT_THAT(readers.at(forge_.host())->check(shop).error().why, HasSubstr("may not write"));
  EXPECT_TRUE(host().check(shop));
}

TEST_F(GiteaTest, ARepositoryThatWasRenamedOrPutAwayIsNamedAsThat) {
  const HostedRepository shop{forge_.host(), "you/shop"};
  const int number = checked_request("work");
  repository({{"archived", true}});
  EXPECT_THAT(host().check(shop).error().why, HasSubstr("archived"));
  EXPECT_EQ(host().comment(place(number), "Hello.").error().status, 423);
  repository({{"archived", false}, {"has_pull_requests", false}});
  EXPECT_THAT(host().check(shop).error().why, HasSubstr("no pull requests"));
  repository({{"has_pull_requests", true}});
  forge_.control("rename", {{"repository", "you/shop"}, {"to", "store"}});
  EXPECT_THAT(host().check(shop).error().why, HasSubstr("was the repository renamed?"));
}

// ---- without a host ----------------------------------------------------------------------------------------------

TEST(GiteaAnswer, OfAHundredThreadsMoreAreNotWorkedOnTogether) {
  GiteaStanding standing;
  standing.conversations.assign(101, {"1", "- file:1\n  you: why?", {}});
  const json::value pull{{"state", "open"}, {"head", {{"sha", "c1"}}}, {"base", {{"sha", "b1"}, {"ref", "main"}}}};
  const auto answer = read_gitea_pull(pull, {{"codeberg.org", "you/shop"}, 7}, standing);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->unresolved_comments);
  EXPECT_EQ(answer->threads.size(), 100U);
  EXPECT_LT(answer->feedback.size(), 21'000U);
  standing.conversations.clear();
  standing.unread = true;
  EXPECT_FALSE(read_gitea_pull(pull, {{"codeberg.org", "you/shop"}, 7}, standing)->feedback_known)
      << "somebody may have spoken where nothing was read";
}

}  // namespace
}  // namespace townd::test
