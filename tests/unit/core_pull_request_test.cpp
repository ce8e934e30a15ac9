#include <gtest/gtest.h>

#include <algorithm>

#include "core/explain.hpp"
#include "core/tick.hpp"

/// Work that goes to a forge, and what the forge says of it (domain.md §6: poll; docs/forges.md).
namespace townd {
namespace {

constexpr Instant kNow{1'800'000'000'000};
constexpr const char* kPage = "https://github.com/you/shop/pull/1";

class PullRequests : public ::testing::Test {
 protected:
  PullRequests() {
    TownRow row;
    row.town_id = TownId("t");
    row.prefix = "t";
    row.next_id = 10;
    row.config.auto_merge_delay_minutes = 0;
    row.config.auto_resolve_pr_feedback = true;
    row.node.presets = {{"refine", true, {}, {}}, {"claude", true, {}, {}}};
    town_ = Town(std::move(row));
    Rig rig;
    rig.rig_id = RigId("t-1");
    rig.name = "shop";
    rig.config.gates = {"true"};
    rig.config.merge_strategy = Strategy::pr;
    town_.put(std::move(rig));
    say(events::BranchAdopted{{}, RigId("t-1"), "work", "c1", "Work", "", Priority::medium, "you", ""});
    for (const BeadId& id : town_.bead_ids())
      (town_.bead(id)->type == BeadType::merge_request ? request_ : source_) = id;
  }

  EventOutcome say(EventBody body) {
    last_ = tick(town_, {now_, {}, {Event{++seq_, now_, std::move(body)}}, {}});
    return last_.events.at(0);
  }
  void wait(Duration d) {
    now_ = now_ + d;
    last_ = tick(town_, {now_, {}, {}, {}});
  }
  [[nodiscard]] bool wanted(std::string_view effect) const {
    return std::any_of(last_.outbox.effects.begin(), last_.outbox.effects.end(),
                       [&](const Effect& one) { return effect_kind(one.body) == effect; });
  }
  void published(const std::string& head = "c1") {
    events::PrPublished answer;
    answer.bead_id = request_;
    answer.ok = true;
    answer.commit = review().commit;
    answer.pr_url = kPage;
    answer.head = head;
    say(std::move(answer));
  }
  void not_published(const char* kind, bool transient, const std::string& head = "") {
    events::PrPublished answer;
    answer.bead_id = request_;
    answer.commit = review().commit;
    answer.pr_url = review().pr_url;
    answer.head = head;
    answer.error_kind = kind;
    answer.transient = transient;
    answer.why = "because";
    say(std::move(answer));
  }
  /// The refinery has looked at it and approves.
  void approved() {
    const AgentId refinery = town_.links(request_).hooked.at(0);
    say(events::AgentDone{refinery, town_.agent(refinery)->run_id, "", "", "fine", ""});
  }
  static events::PollAnswer green_answer(const std::string& head = "c1") {
    events::PollAnswer answer;
    answer.ok = true;
    answer.status = "open";
    answer.mergeable_state = "clean";
    answer.head = head;
    answer.feedback_known = true;
    answer.all_checks_pass = true;
    answer.pr_number = 1;
    answer.repo = "you/shop";
    return answer;
  }
  void polled(events::PollAnswer answer) {
    wait(minutes(1));
    ASSERT_TRUE(wanted("poll_pr"));
    now_ = now_ + seconds(1);
    say(events::PrPolled{request_, std::move(answer)});
  }
  /// People were told so.
  [[nodiscard]] int escalations(std::string_view title) const {
    int told = 0;
    for (const BeadId& id : town_.bead_ids())
      if (const Bead& bead = *town_.bead(id); bead.type == BeadType::escalation) told += bead.title.starts_with(title);
    return told;
  }
  [[nodiscard]] const Review& review() const { return *town_.review(request_); }
  [[nodiscard]] BeadStatus status() const { return town_.bead(request_)->status; }
  /// A live issue with this label.
  [[nodiscard]] const Bead* work(std::string_view label) const {
    for (const BeadId& id : town_.bead_ids())
      if (const Bead* bead = town_.bead(id); has_label(*bead, label) && !terminal(bead->status)) return bead;
    return nullptr;
  }

  Instant now_ = kNow;
  Town town_;
  BeadId source_, request_;
  TickResult last_;
  std::int64_t seq_ = 0;
};

TEST_F(PullRequests, AreOpenedBeforeAnybodyReviews) {
  EXPECT_TRUE(wanted("publish_pr"));
  EXPECT_FALSE(wanted("start_agent"));
  wait(seconds(30));
  EXPECT_FALSE(wanted("publish_pr")) << "it was asked for a moment ago";
  published();
  EXPECT_EQ(review().pr_url, kPage);
  EXPECT_TRUE(wanted("start_agent"));
  EXPECT_FALSE(wanted("publish_pr"));
}

TEST_F(PullRequests, ThatCannotBeOpenedNowAreTriedAgainTenTimes) {
  for (int tries = 1; tries <= 9; ++tries) {
    not_published("network", true);
    ASSERT_EQ(status(), BeadStatus::open) << tries;
    wait(minutes(10));
    ASSERT_TRUE(wanted("publish_pr")) << tries;
  }
  not_published("network", true);
  EXPECT_EQ(status(), BeadStatus::failed);
}

TEST_F(PullRequests, ThatAForgeRefusesToTellOfNameIt) {
  published();
  approved();
  events::PollAnswer refused;
  refused.provider = "gitea";
  refused.error_kind = "http_error";
  refused.http_status = 401;
  refused.error_message = "make a new token";
  wait(minutes(2));
  say(events::PrPolled{request_, refused});
  EXPECT_EQ(status(), BeadStatus::failed);
  EXPECT_EQ(review().failure_message, "Gitea answered HTTP 401: make a new token");
}

TEST_F(PullRequests, OfAForgeThatIsAwayForLongAreKeptAndNobodyStartsAnew) {
  published();
  approved();
  events::PollAnswer away;
  away.error_kind = "http_error";
  away.http_status = 503;
  away.transient = true;
  int polls = 0;
  for (int minute = 0; minute < 240 && status() == BeadStatus::in_progress; ++minute) {
    wait(minutes(1));
    EXPECT_FALSE(wanted("start_agent"));
    if (!wanted("poll_pr")) continue;
    ++polls;
    say(events::PrPolled{request_, away});
  }
  EXPECT_EQ(polls, 10) << "twice as long between two, 15 minutes at most";
  EXPECT_GT(now_ - kNow, minutes(90));
  EXPECT_EQ(status(), BeadStatus::failed);
  wait(minutes(10));
  EXPECT_FALSE(wanted("start_agent")) << "the work is not to blame";
  ASSERT_EQ(town_.links(source_).requests.size(), 2U) << "and is asked about again by itself";
  const Review& again = *town_.review(town_.links(source_).requests.at(1));
  EXPECT_EQ(again.pr_url, kPage);
  EXPECT_EQ(again.published_commit, "c1") << "it is still known what is ours there";
  EXPECT_EQ(again.verdict, Verdict::approved) << "nobody has to read it again";
  EXPECT_EQ(town_.bead(source_)->status, BeadStatus::in_review);
  request_ = again.bead_id;
  EXPECT_EQ(escalations("The forge does not answer"), 1);
  for (int minute = 0; minute < 240 && status() == BeadStatus::in_progress; ++minute) {
    wait(minutes(1));
    EXPECT_FALSE(wanted("start_agent"));
    if (wanted("poll_pr")) say(events::PrPolled{request_, away});
  }
  EXPECT_EQ(status(), BeadStatus::failed);
  EXPECT_EQ(escalations("The forge does not answer"), 1) << "nobody has looked yet";
  wait(minutes(10));
  request_ = town_.links(source_).requests.at(2);
  wait(minutes(1));
  say(events::PrPolled{request_, green_answer()});
  EXPECT_TRUE(wanted("merge_pr")) << "and it goes on where it was";
}

TEST_F(PullRequests, OfAForgeThatSaysNonsenseWaitForAPerson) {
  published();
  approved();
  events::PollAnswer page;
  page.error_kind = "invalid_response";
  page.error_message = "it is no JSON";
  for (int i = 0; i < 3; ++i) polled(page);
  EXPECT_EQ(status(), BeadStatus::failed);
  wait(hours(1));
  EXPECT_EQ(town_.bead(source_)->status, BeadStatus::in_review);
  EXPECT_FALSE(wanted("start_agent"));
  EXPECT_EQ(town_.links(source_).requests.size(), 1U);
}

TEST_F(PullRequests, GoToAnotherBranchWhereSomebodyElseHasOneOfThatName) {
  const std::string wanted_name = review().branch;
  not_published("branch_taken", false);
  EXPECT_EQ(review().branch, wanted_name + "-2");
  EXPECT_TRUE(wanted("publish_pr"));
  EXPECT_EQ(work("gt:pr-conflict"), nullptr) << "that work has nothing to do with ours";
  published();
  EXPECT_EQ(review().pr_url, kPage);
  for (int tries = 0; tries < 11; ++tries) not_published("branch_taken", false);
  EXPECT_EQ(status(), BeadStatus::failed) << "what is published does not move to another branch";
}

TEST_F(PullRequests, ThatTheForgeDoesNotMergeSayWhyAndAskAPersonOnce) {
  published();
  approved();
  for (int refusals = 1; refusals <= 5; ++refusals) {
    polled(green_answer());
    if (!wanted("merge_pr")) wait(minutes(5));
    ASSERT_TRUE(wanted("merge_pr")) << refusals;
    say(events::PrMergeResult{request_, false, "the branch is protected", ""});
    EXPECT_EQ(review().merge_refusals, refusals);
  }
  EXPECT_EQ(escalations("Merge refused"), 1);
  wait(seconds(1));
  const Explanation why = explain(town_, request_.text, now_);
  EXPECT_TRUE(std::any_of(why.decisions.begin(), why.decisions.end(), [](const Explained& e) {
    return e.because.find("the branch is protected") != std::string::npos;
  })) << why.status;
  polled(green_answer("theirs"));
  EXPECT_EQ(review().merge_refusals, 0) << "that is another work";
}

TEST_F(PullRequests, ArePolledAMinuteApartThoughTheClockWasSetBack) {
  published();
  now_ = now_ + minutes(-60);
  approved();
  ASSERT_TRUE(wanted("poll_pr"));
  say(events::PrPolled{request_, green_answer()});
  polled(green_answer());
  EXPECT_EQ(review().pr_head, "c1") << "the answer counts";
  wait(seconds(30));
  EXPECT_FALSE(wanted("poll_pr"));
}

TEST_F(PullRequests, ThatTheForgeRefusesWaitForAPersonAndStartNobody) {
  not_published("http_error", false);
  EXPECT_EQ(status(), BeadStatus::failed);
  EXPECT_EQ(review().failure_reason, "pr_publish_failed");
  wait(hours(1));
  EXPECT_EQ(town_.bead(source_)->status, BeadStatus::in_review);
  EXPECT_TRUE(last_.outbox.effects.empty());
  say(events::BeadRetried{source_, "you"});
  wait(minutes(10));
  EXPECT_TRUE(wanted("publish_pr")) << "a request like it, without an agent's run";
}

TEST_F(PullRequests, WorkOfTwoOnOneBranchIsJoined) {
  published();
  not_published("moved", false, "theirs");
  const Bead* join = work("gt:pr-conflict");
  ASSERT_NE(join, nullptr);
  EXPECT_EQ(review().published_commit, "theirs");
  EXPECT_EQ(review().commit, "c1") << "ours is not forgotten";
  wait(minutes(20));
  EXPECT_FALSE(wanted("publish_pr")) << "until it is joined";
}

TEST_F(PullRequests, AreMergedWhenReviewedAndGreenAndNotBefore) {
  published();
  polled(green_answer());
  EXPECT_FALSE(review().auto_merge_pending) << "nobody has reviewed it";
  approved();
  EXPECT_EQ(review().verdict, Verdict::approved);
  EXPECT_EQ(status(), BeadStatus::in_progress);
  for (const auto spoil : {+[](events::PollAnswer& a) { a.feedback_known = false; },
                           +[](events::PollAnswer& a) { a.all_checks_pass = false, a.checks_pending = true; },
                           +[](events::PollAnswer& a) { a.all_checks_pass = false, a.no_checks = true; },
                           +[](events::PollAnswer& a) { a.mergeable_state = "unknown"; },
                           +[](events::PollAnswer& a) { a.review_decision = "REVIEW_REQUIRED"; },
                           +[](events::PollAnswer& a) { a.review_decision = "CHANGES_REQUESTED"; }}) {
    events::PollAnswer answer = green_answer();
    spoil(answer);
    polled(answer);
    EXPECT_FALSE(review().auto_merge_pending);
  }
  polled(green_answer());
  EXPECT_TRUE(wanted("merge_pr"));
  say(events::PrMergeResult{request_, false, "the branch is protected", ""});
  polled(green_answer());
  EXPECT_FALSE(wanted("merge_pr")) << "a host that says no is not asked each minute";
  wait(minutes(5));
  EXPECT_TRUE(wanted("merge_pr"));
  say(events::PrMergeResult{request_, true, "", ""});
  EXPECT_EQ(status(), BeadStatus::closed);
  EXPECT_EQ(review().evidence, "forge");
  EXPECT_EQ(town_.bead(source_)->status, BeadStatus::closed);
}

TEST_F(PullRequests, ThatGotTheirTargetMergedInKeepTheirVerdict) {
  published();
  approved();
  polled(green_answer());
  ASSERT_TRUE(wanted("merge_pr"));
  say(events::PrMergeResult{request_, false, "it was behind", "c1+main"});
  EXPECT_EQ(review().verdict, Verdict::approved);
  EXPECT_EQ(review().commit, "c1+main");
  EXPECT_FALSE(wanted("publish_pr"));
  polled(green_answer());
  EXPECT_FALSE(wanted("merge_pr")) << "that was the old head";
  polled(green_answer("c1+main"));
  EXPECT_TRUE(wanted("merge_pr"));
}

TEST_F(PullRequests, AMergeThatWasAskedForIsForgottenWhenTheWorkIsAnother) {
  published();
  approved();
  polled(green_answer());
  ASSERT_TRUE(review().auto_merge_pending);
  wait(minutes(3));
  say(events::PrPolled{request_, green_answer("theirs")});
  EXPECT_FALSE(review().auto_merge_pending);
  wait(minutes(6));
  EXPECT_FALSE(wanted("merge_pr"));
}

TEST_F(PullRequests, OfAgentsAreWhereTowndSays) {
  events::BeadCreated made;
  made.title = "more";
  made.rig_id = RigId("t-1");
  say(std::move(made));
  const BeadId more(last_.events.at(0).created.at(0));
  const AgentId worker = town_.links(more).hooked.at(0);
  say(events::AgentDone{worker, town_.agent(worker)->run_id, "main", "https://github.com/you/shop/pull/7", "", "c9"});
  const Review& handed_in = *town_.review(town_.links(more).requests.at(0));
  EXPECT_NE(handed_in.branch, "main");
  EXPECT_TRUE(handed_in.pr_url.empty());
  EXPECT_TRUE(handed_in.published_commit.empty());
}

TEST_F(PullRequests, WithoutChecksWaitUnlessTheRigSaysThatItHasNone) {
  Rig rig = *town_.rig(RigId("t-1"));
  rig.config.without_checks = true;
  town_.put(std::move(rig));
  published();
  approved();
  events::PollAnswer answer = green_answer();
  answer.all_checks_pass = false;
  answer.no_checks = true;
  polled(answer);
  EXPECT_TRUE(wanted("merge_pr"));
}

TEST_F(PullRequests, ThatSomebodyPushesToAreReviewedAgain) {
  published();
  approved();
  polled(green_answer());
  wait(minutes(3));
  say(events::PrPolled{request_, green_answer("theirs")});
  EXPECT_EQ(review().commit, "theirs");
  EXPECT_EQ(review().verdict, Verdict::none);
  EXPECT_FALSE(wanted("publish_pr"));
  EXPECT_EQ(status(), BeadStatus::open) << "what is there now is reviewed";
}

TEST_F(PullRequests, OldNewsUndoesNoPush) {
  published();
  polled(green_answer());
  events::PollAnswer asks = green_answer();
  asks.failing_checks = true;
  asks.feedback = "Failing checks:\n- build: failure\n";
  asks.threads = {"thread"};
  polled(asks);
  const Bead* feedback = work("gt:pr-feedback");
  ASSERT_NE(feedback, nullptr);
  const auto& rework = std::get<Rework>(*feedback->detail);
  EXPECT_EQ(rework.threads, std::vector<std::string>{"thread"});
  const BeadId done = feedback->bead_id;
  const AgentId worker = town_.links(done).hooked.at(0);
  say(events::AgentDone{worker, town_.agent(worker)->run_id, "work", "", "mended", "c2"});
  EXPECT_EQ(review().commit, "c2");
  EXPECT_EQ(review().answered, std::vector<std::string>{"thread"});
  EXPECT_TRUE(wanted("publish_pr"));
  published("c2");
  EXPECT_TRUE(review().answered.empty());
  EXPECT_EQ(status(), BeadStatus::open) << "it is reviewed again";
  now_ = now_ + minutes(1);
  say(events::PrPolled{request_, green_answer("c1")});
  EXPECT_EQ(review().commit, "c2") << "the forge has yet to show it";
  EXPECT_EQ(review().published_commit, "c2");
}

TEST_F(PullRequests, ArePolledAsTheForgeWishes) {
  published();
  approved();
  events::PollAnswer later;
  later.error_kind = "http_error";
  later.http_status = 429;
  later.transient = true;
  later.rest_until = now_ + minutes(20);
  polled(later);
  wait(minutes(10));
  EXPECT_FALSE(wanted("poll_pr"));
  wait(minutes(9));
  EXPECT_TRUE(wanted("poll_pr"));
  say(events::PrPolled{request_, green_answer()});
  say(events::PrNoticed{RigId("t-1"), 1, "", true});
  EXPECT_TRUE(wanted("poll_pr")) << "a webhook makes it ask at once";
  wait(minutes(2));
  EXPECT_FALSE(wanted("poll_pr")) << "and seldom otherwise";
  wait(minutes(3));
  EXPECT_TRUE(wanted("poll_pr"));
  events::PollAnswer not_yet = green_answer();
  not_yet.mergeable_state = "unknown";
  say(events::PrPolled{request_, not_yet});
  wait(minutes(1));
  EXPECT_TRUE(wanted("poll_pr")) << "no webhook tells when the forge has worked that out";
  EXPECT_EQ(say(events::PrNoticed{RigId("t-1"), 77, "", true}).note, "about no pull request of ours");
}

}  // namespace
}  // namespace townd
