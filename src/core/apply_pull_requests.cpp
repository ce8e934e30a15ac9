#include "core/apply_event.hpp"

/// What forges say of pull requests (domain.md §6: poll).
namespace townd::apply {
namespace {

bool refused_for_good(const events::PollAnswer& a) {
  return a.error_kind == "no_token" || a.error_kind == "unrecognized_url" || a.error_kind == "host_mismatch" ||
         (a.error_kind == "http_error" && !a.transient);
}

/// The forge is called again when it wants to be.
void rest(Change& change, const BeadId& id, MaybeInstant until) {
  const Rig* found = change.town().rig(change.town().bead(id)->rig_id);
  if (!until || !found || (found->forge_rests_until && *found->forge_rests_until >= *until)) return;
  Rig rig = *found;
  rig.forge_rests_until = until;
  change.town().put(std::move(rig));
}

std::string poll_message(const events::PollAnswer& a) {
  const std::string provider = a.provider == "gitlab" ? "GitLab" : a.provider == "gitea" ? "Gitea" : "GitHub";
  std::string text;
  if (a.error_kind == "no_token")
    text = "No " + provider + " token resolved";
  else if (a.error_kind == "http_error")
    text = provider + " answered HTTP " + std::to_string(a.http_status);
  else if (a.error_kind == "unrecognized_url")
    text = "Not a pull request URL that townd knows";
  else if (a.error_kind == "host_mismatch")
    text = "The pull request is on another host than the rig";
  else if (a.error_kind == "invalid_response")
    text = provider + " answered something unreadable";
  else
    text = provider + " could not be reached";
  return a.error_message.empty() ? text : text + ": " + a.error_message;
}

/// A person is told of a forge that has not answered for long, once in a rig until the word is closed.
void tell_away(Change& change, const BeadId& id, const std::string& what) {
  constexpr std::string_view kAway = "forge_away";
  const Town& town = change.town();
  const RigId rig = town.bead(id)->rig_id;
  for (const SubjectKey& key : town.all_subjects(Stage::escalations)) {
    const Bead* bead = town.bead(BeadId(key.text));
    const auto* told = bead && bead->detail ? std::get_if<Escalation>(bead->detail.get()) : nullptr;
    if (told && told->category == kAway && bead->rig_id == rig && !terminal(bead->status)) return;
  }
  Escalation escalation;
  escalation.severity = Priority::high;
  escalation.category = kAway;
  escalation.message = what + "; pull requests stand still, and it is asked again by itself";
  escalation.source = town.review(id)->source_bead_id;
  change.escalate(std::move(escalation), rig, "The forge does not answer: " + what);
}

void poll_failed(Change& change, const BeadId& id, const events::PollAnswer& a) {
  Review review = *change.town().review(id);
  const Constants& constants = change.town().constants();
  const bool malformed = a.error_kind == "invalid_response";
  review.poll_error_kind = a.error_kind;
  review.poll_transient_count = malformed ? 0 : review.poll_transient_count + 1;
  review.poll_non_transient_count = malformed ? review.poll_non_transient_count + 1 : 0;
  const bool over = refused_for_good(a) || review.poll_transient_count >= constants.poll_transient_limit ||
                    review.poll_non_transient_count >= constants.poll_malformed_limit;
  const bool away = over && !refused_for_good(a) && !malformed && review.published_at;
  change.town().put(std::move(review));
  if (over) change.fail_request(id, ReviewResult::failed, "pr_poll_failed", a.error_kind, poll_message(a));
  if (away) tell_away(change, id, poll_message(a));
}

/// Work that is another than what was reviewed.
void review_again(Change& change, const BeadId& id) {
  const Bead& request = *change.town().bead(id);
  if (!code_review(change.town(), request.rig_id) || request.status != BeadStatus::in_progress) return;
  change.release_refinery(id);
  change.back_to_queue(id);
}

void forget_refusals(Review& review) {
  review.merge_refused.clear();
  review.merge_refusals = 0;
}

/// Somebody else has put work on the branch. It takes the place of what was handed in, unless that has yet to go there.
void note_head(Change& change, const BeadId& id, const std::string& head) {
  const Review& known = *change.town().review(id);
  if (known.published_commit.empty() || head.empty() || head == known.published_commit) return;
  Review review = known;
  change.history(id, "pr_pushed", review.published_commit, head);
  const bool was_published = review.commit == review.published_commit;
  review.published_commit = head;
  forget_refusals(review);
  if (was_published) {
    review.commit = head;
    review.source_run_id = {};
    review.verdict = Verdict::none;
    review.auto_merge_pending = false;
    review.auto_merge_ready_since.reset();
  }
  change.town().put(std::move(review));
  if (was_published) review_again(change, id);
}

/// Someone closed the pull request or merged it elsewhere.
void pr_ended(Change& change, const BeadId& id, std::string_view state) {
  if (state == "merged")
    change.merged(id, "forge", "");
  else if (state == "closed")
    change.not_merged(id, ReviewResult::failed, "the pull request was closed without a merge");
}

const Review& note_answer(Change& change, const BeadId& id, const events::PollAnswer& a) {
  Review review = *change.town().review(id);
  review.poll_transient_count = review.poll_non_transient_count = 0;
  review.poll_error_kind.clear();
  review.last_poll_answer_at = change.now();
  const bool differs = review.pr_head != a.head || review.review_decision != a.review_decision ||
                       review.merge_state_status != a.mergeable_state || review.checks_pending != a.checks_pending;
  if (differs || !review.pr_changed_at) review.pr_changed_at = change.now();
  review.pr_head = a.head;
  review.review_decision = a.review_decision;
  review.merge_state_status = a.mergeable_state;
  review.checks_pending = a.checks_pending;
  const bool awaiting = a.review_decision == "REVIEW_REQUIRED";
  if (awaiting != review.awaiting_approval)
    review.awaiting_approval_observed_at = awaiting ? MaybeInstant(change.now()) : std::nullopt;
  review.awaiting_approval = awaiting;
  change.town().put(std::move(review));
  return *change.town().review(id);
}

bool setting(const std::optional<bool>& of_rig, bool of_town) { return of_rig.value_or(of_town); }

void watch_for_auto_merge(Change& change, const BeadId& id, const events::PollAnswer& a, const Rig* rig) {
  Town& town = change.town();
  const std::optional<int> delay = rig && rig->config.has_auto_merge_delay ? rig->config.auto_merge_delay_minutes
                                                                           : town.config().auto_merge_delay_minutes;
  if (!town.config().auto_merge || !delay) return;
  Review review = *town.review(id);
  if (!green(a, rig) || unpublished(review)) {
    review.auto_merge_ready_since.reset();
    forget_refusals(review);
  } else if (!review.auto_merge_ready_since)
    review.auto_merge_ready_since = change.now();
  const bool due = review.auto_merge_ready_since && change.now() - *review.auto_merge_ready_since >= minutes(*delay);
  const bool reviewed = review.verdict == Verdict::approved || !code_review(town, town.bead(id)->rig_id);
  if (due && reviewed) review.auto_merge_pending = true;
  town.put(std::move(review));
}

}  // namespace

Result on(Change& change, const events::PrPolled& e) {
  const Review* review = live_review(change, e.bead_id);
  if (!review) return applied();
  const events::PollAnswer& a = e.answer;
  rest(change, e.bead_id, a.rest_until);
  if (review->published_at && review->last_poll_at && *review->last_poll_at <= *review->published_at) {
    Review again = *review;
    again.last_poll_at.reset();
    again.published_at = std::min(*again.published_at, change.now() - Duration{1});  // the clock may have been set back
    change.town().put(std::move(again));
    return noted(change, "the answer is older than what was published since");
  }
  // A forge may take a moment to show what was pushed to it.
  constexpr Duration kSeenWithin = minutes(2);
  if (a.ok && review->published_at && !stale(review->published_at, kSeenWithin, change.now()) &&
      a.head != review->published_commit && a.head == review->pr_head)
    return noted(change, "the forge has yet to show what was published");
  if (!a.ok) {
    poll_failed(change, e.bead_id, a);
    return applied();
  }
  const Review seen = note_answer(change, e.bead_id, a);
  if (a.status != "open") {
    pr_ended(change, e.bead_id, a.status);
    return applied();
  }
  note_head(change, e.bead_id, a.head);
  if (a.mergeable_state == "unknown" || !live(change.town().bead(e.bead_id))) return applied();
  if (a.mergeable_state == "dirty") {
    const bool first = !seen.has_conflicts;
    Review conflicting = seen;
    conflicting.has_conflicts = true;
    if (first) conflicting.conflicts_detected_at = change.now();
    conflicting.auto_merge_ready_since.reset();
    change.town().put(std::move(conflicting));
    if (first) return on(change, events::PrConflictDetected{e.bead_id, seen.source_bead_id, seen.pr_url, seen.branch});
    return applied();
  }
  if (seen.has_conflicts) {
    Review clean = seen;
    clean.has_conflicts = false;
    clean.conflicts_detected_at.reset();
    change.town().put(std::move(clean));
  }
  const Rig* rig = change.town().rig(change.town().bead(e.bead_id)->rig_id);
  const bool resolve = setting(rig ? rig->config.auto_resolve_pr_feedback : std::nullopt,
                               change.town().config().auto_resolve_pr_feedback);
  if (resolve && a.feedback_known && !unpublished(*change.town().review(e.bead_id)) &&
      (a.unresolved_comments || a.failing_checks || a.unchecked_runs))
    if (auto done = on(change, events::PrFeedbackDetected{e.bead_id, seen.pr_url, a.pr_number, a.repo, seen.branch,
                                                          a.unresolved_comments, a.failing_checks, a.unchecked_runs,
                                                          a.feedback, a.threads});
        !done || !live(change.town().bead(e.bead_id)))
      return done;
  watch_for_auto_merge(change, e.bead_id, a, rig);
  return applied();
}

Result on(Change& change, const events::PrStatusChanged& e) {
  if (live_review(change, e.bead_id)) pr_ended(change, e.bead_id, e.pr_state);
  return applied();
}

namespace {

/// Adds to what a feedback or conflict bead is for.
template <class Edit>
void extend(Change& change, const Bead& bead, Edit edit) {
  const auto* known = bead.detail ? std::get_if<Rework>(bead.detail.get()) : nullptr;
  Rework rework = known ? *known : Rework{};
  edit(rework);
  Bead renewed = bead;
  renewed.detail = std::make_shared<const BeadDetail>(std::move(rework));
  change.town().put(std::move(renewed));
}

}  // namespace

Result on(Change& change, const events::PrFeedbackDetected& e) {
  const Review* review = live_review(change, e.mr_bead_id);
  if (!review || live_blocker(change.town(), e.mr_bead_id, "gt:pr-feedback")) return applied();
  if (const Bead* conflict = live_blocker(change.town(), e.mr_bead_id, "gt:pr-conflict")) {
    extend(change, *conflict, [](Rework& rework) { rework.has_feedback = true; });
    return applied();
  }
  const std::string what = e.has_unresolved_comments ? "review comments"
                           : e.has_failing_checks    ? "failing CI"
                                                     : "unchecked CI runs";
  const std::string repo = e.repo.substr(e.repo.rfind('/') + 1);
  Rework rework;
  rework.pr_url = e.pr_url;
  rework.branch = e.branch;
  rework.threads = e.threads;
  const std::string title = "Address " + what + " on PR #" + std::to_string(e.pr_number) + " (" + repo + ")";
  change.create_rework(e.mr_bead_id, "gt:pr-feedback", title,
                       title + "\n\n" + e.pr_url + "\nWork on branch " + e.branch + "." +
                           (e.feedback.empty() ? "" : "\n\n" + e.feedback),
                       std::move(rework));
  return applied();
}

Result on(Change& change, const events::PrConflictDetected& e) {
  Town& town = change.town();
  const Review* review = live_review(change, e.mr_bead_id);
  if (!review || live_blocker(town, e.mr_bead_id, "gt:pr-conflict")) return applied();
  const Review seen = *review;
  const Bead request = *town.bead(e.mr_bead_id);
  const Rig* rig = town.rig(request.rig_id);
  const bool resolve = setting(rig ? rig->config.auto_resolve_merge_conflicts : std::nullopt,
                               town.config().auto_resolve_merge_conflicts);
  if (!resolve) {
    Escalation escalation;
    escalation.severity = Priority::high;
    escalation.category = "merge_conflict";
    escalation.message = "the pull request conflicts with " + seen.target_branch + ": " + e.pr_url;
    escalation.source = seen.source_bead_id;
    escalation.conflict = true;
    change.escalate(std::move(escalation), request.rig_id, "Merge conflict on " + e.branch);
    change.ask_triage(AgentId{}, "escalation", e.mr_bead_id, RunId{}, "merge conflict on " + e.branch,
                      {"ESCALATE_TO_MAYOR", "RESTART", "CLOSE_BEAD", "REASSIGN_BEAD"});
    return applied();
  }
  if (const Bead* feedback = live_blocker(town, e.mr_bead_id, "gt:pr-feedback")) {
    extend(change, *feedback, [&seen](Rework& rework) {
      rework.has_conflicts = true;
      rework.conflict_target_branch = seen.target_branch;
    });
    return applied();
  }
  Rework rework;
  rework.pr_url = e.pr_url;
  rework.branch = e.branch;
  change.create_rework(e.mr_bead_id, "gt:pr-conflict", "Resolve merge conflicts on PR: " + e.branch,
                       "Merge " + seen.target_branch + " into " + e.branch + " and resolve the conflicts.\n" + e.pr_url,
                       std::move(rework));
  return applied();
}

Result on(Change& change, const events::PrAutoMerge& e) {
  const Review* found = live_review(change, e.mr_bead_id);
  if (!found) return applied();
  Review review = *found;
  review.auto_merge_pending = true;
  change.town().put(std::move(review));
  Bead bead = *change.town().bead(e.mr_bead_id);
  bead.updated_at = change.now();
  change.town().put(std::move(bead));
  return applied();
}

namespace {

constexpr int kRefusalsTold = 3;  ///< in a row, of the same head: a person is asked

void tell_refused(Change& change, const events::PrMergeResult& e) {
  const Review& review = *change.town().review(e.bead_id);
  Escalation escalation;
  escalation.severity = Priority::high;
  escalation.category = "merge_refused";
  escalation.message = "the forge has refused " + std::to_string(kRefusalsTold) + " times to merge " + review.pr_url +
                       ": " + e.why + "; it is asked again every few minutes";
  escalation.source = review.source_bead_id;
  change.escalate(std::move(escalation), change.town().bead(e.bead_id)->rig_id, "Merge refused: " + review.pr_url);
}

}  // namespace

Result on(Change& change, const events::PrMergeResult& e) {
  const Review* found = live_review(change, e.bead_id);
  if (!found) return applied();
  if (e.merged) {
    change.merged(e.bead_id, "forge", "");
    return applied();
  }
  Review review = *found;
  review.auto_merge_pending = false;  // asked again when it is green, and not at once
  review.auto_merge_ready_since.reset();
  if (e.head.empty()) {
    review.merge_refused = e.why;
    ++review.merge_refusals;
  } else {  // what was reviewed, and what it lands on: the verdict stands, its checks have to pass again
    review.commit = review.published_commit = e.head;
    review.source_run_id = {};
    review.published_at = change.now();
    review.merge_requested_at.reset();
    forget_refusals(review);
  }
  const int refusals = review.merge_refusals;
  change.town().put(std::move(review));
  if (refusals == kRefusalsTold) tell_refused(change, e);
  change.history(e.bead_id, e.head.empty() ? "merge_refused" : "brought_up_to_date", "",
                 e.head.empty() ? e.why : e.head);
  return applied();
}

namespace {

/// Somebody's work is on the branch and not in what was handed in: an agent joins the two.
void join_work(Change& change, const BeadId& id, const events::PrPublished& e) {
  Review review = *change.town().review(id);
  review.published_commit = e.head;
  review.publish_asked_at.reset();
  review.publish_tries = 0;
  const std::string branch = review.branch;
  change.town().put(std::move(review));
  Rework rework;
  rework.pr_url = e.pr_url;
  change.create_rework(id, "gt:pr-conflict", "Join work on PR: " + branch,
                       "Somebody else has pushed to " + branch + ". Merge commit " + e.head +
                           " into your branch and resolve what conflicts; lose nothing of either.\n" + e.pr_url,
                       std::move(rework));
}

/// Somebody else's work is on a branch of that name: ours goes to another. A convoy's branch has the name that people
/// know, and what has no commit of its own is found by its branch.
bool take_other_branch(Change& change, const BeadId& id) {
  Review review = *change.town().review(id);
  const Bead* source = change.town().bead(review.source_bead_id);
  const bool named = source && source->type == BeadType::convoy;
  if (named || review.commit.empty() || !review.published_commit.empty() || !review.pr_url.empty()) return false;
  change.history(id, "branch_taken", review.branch, review.branch + "-2");
  review.branch += "-2";
  review.publish_asked_at.reset();
  ++review.publish_tries;
  change.town().put(std::move(review));
  return true;
}

constexpr int kPublishTries = 10;

void not_published(Change& change, const BeadId& id, const events::PrPublished& e) {
  Review review = *change.town().review(id);
  const int tries = ++review.publish_tries;
  change.town().put(std::move(review));
  change.history(id, "publish_failed", "", e.why);
  if (e.transient && tries < kPublishTries) return;
  change.fail_request(id, ReviewResult::failed, "pr_publish_failed", e.transient ? "network" : e.error_kind, e.why);
  if (e.transient) tell_away(change, id, e.why);
}

}  // namespace

Result on(Change& change, const events::PrPublished& e) {
  const Review* found = live_review(change, e.bead_id);
  if (!found) return applied();
  rest(change, e.bead_id, e.rest_until);
  if (e.error_kind == "moved") {
    join_work(change, e.bead_id, e);
    return applied();
  }
  const bool untried = found->publish_tries < kPublishTries;
  if (e.error_kind == "branch_taken" && untried && take_other_branch(change, e.bead_id)) return applied();
  if (!e.ok) {
    not_published(change, e.bead_id, e);
    return applied();
  }
  Review review = *found;
  if (review.pr_url.empty()) change.history(e.bead_id, "pr_created", "", e.pr_url);
  if (review.commit == e.commit) {  // else newer work has been handed in meanwhile
    review.answered.clear();
    if (!review.commit.empty() && review.commit != e.head) review.source_run_id = {};
    if (!review.commit.empty()) review.commit = e.head;  // somebody else went on from there
  }
  review.pr_url = e.pr_url;
  review.published_commit = e.head;
  review.published_at = change.now();
  review.publish_asked_at.reset();
  review.publish_tries = 0;
  review.has_conflicts = false;  // of what was there before
  review.conflicts_detected_at.reset();
  review.auto_merge_ready_since.reset();
  review.auto_merge_pending = false;
  forget_refusals(review);
  const bool unseen = review.verdict == Verdict::none;
  change.town().put(std::move(review));
  if (unseen) review_again(change, e.bead_id);
  return applied();
}

Result on(Change& change, const events::PrNoticed& e) {
  Town& town = change.town();
  const Rig* found = town.rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  constexpr Duration kNotedAgain = hours(1);
  if (e.by_hook && stale(found->hook_heard_at, kNotedAgain, change.now())) {
    Rig rig = *found;
    rig.hook_heard_at = change.now();
    town.put(std::move(rig));
  }
  const std::string place = "/" + std::to_string(e.pr_number);
  const auto& requests = town.index(e.rig_id).requests;
  bool known = false;
  for (const BeadId& id : std::vector<BeadId>(requests.begin(), requests.end())) {
    const Review* review = town.review(id);
    if (!review || review->pr_url.empty()) continue;
    if (e.pr_number != 0 ? !review->pr_url.ends_with(place) : review->pr_head != e.head) continue;
    Review again = *review;
    again.last_poll_at.reset();
    town.put(std::move(again));
    known = true;
  }
  return known ? applied() : noted(change, "about no pull request of ours");
}

}  // namespace townd::apply
