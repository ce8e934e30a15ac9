#include "core/rules/common.hpp"

/// Q1–Q4, Q8, Q9, Q6, Q7: requests that are polled, verified, stuck or abandoned, and refineries that idle on them.
namespace townd {
namespace {

using namespace actions;

constexpr auto kOpen = BeadStatus::open;
constexpr auto kInProgress = BeadStatus::in_progress;
constexpr Duration kPollTold = minutes(5);      ///< between polls where a webhook tells what changes
constexpr Duration kHookTrusted = hours(24);    ///< how long after its last word a webhook is believed to work
constexpr Duration kPollFailing = minutes(15);  ///< at most between polls of a forge that does not answer

TransitionBead move(const Bead& bead, BeadStatus to, std::string reason) {
  return {bead.bead_id, bead.status, to, std::move(reason)};
}

/// A live request with what it carries; loaded requests without a review row concern no rule here.
struct Request {
  const Bead* bead = nullptr;
  const Review* review = nullptr;
  explicit operator bool() const { return bead && review; }
};

Request request(const Town& town, const SubjectKey& key) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::merge_request || terminal(bead->status)) return {};
  return {bead, town.review(bead->bead_id)};
}

bool resting(const Rig& rig, Instant now) { return rig.forge_rests_until && now < *rig.forge_rests_until; }

bool blocked(const Town& town, const BeadId& id) { return !first_blocker(town, id).empty(); }

/// Who is hooked to it; a batch member is judged by its head.
const std::vector<AgentId>& reviewers(const Town& town, const Request& r) {
  return town.links(r.review->batch_head ? r.review->batch_head : r.bead->bead_id).hooked;
}

bool being_reviewed(const Town& town, const Request& r) {
  const auto& hooked = reviewers(town, r);
  return std::any_of(hooked.begin(), hooked.end(), [&](const AgentId& id) { return at_work(*town.agent(id)); });
}

Decision no_refinery(const Town& town, const SubjectKey& key, Instant) {
  const Request r = request(town, key);
  if (!r || r.bead->status != kOpen || r.review->pr_url.empty()) return not_concerned();
  if (code_review(town, r.bead->rig_id)) return not_concerned();
  return act(move(*r.bead, kInProgress, "no review wanted; it is polled"));
}

/// How long after the last poll. One of townd's own pull requests waits twice as long after each answer that did not
/// come: what is there does not change for that.
Duration poll_interval(const Town& town, const Review& review, bool told) {
  const Duration usual = told ? kPollTold : town.constants().poll;
  if (!review.published_at || review.poll_transient_count == 0) return usual;
  Duration longer = town.constants().poll;
  for (int failed = 0; failed < review.poll_transient_count && longer < kPollFailing; ++failed) longer.ms *= 2;
  return std::max(usual, std::min(longer, kPollFailing));
}

Decision poll(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!r || r.bead->status != kInProgress || r.review->pr_url.empty()) return not_concerned();
  const Rig* rig = town.rig(r.bead->rig_id);
  if (rig && resting(*rig, now)) return Wait{*rig->forge_rests_until, Reason::forge_rests};
  if (!r.review->last_poll_at) return act(PollPr{r.bead->bead_id, r.review->pr_url});
  // A webhook that still speaks tells what changes; polling then only makes sure. None tells when the forge has worked
  // out whether it can be merged.
  const bool worked_out = r.review->merge_state_status != "unknown";
  const bool told = worked_out && rig && rig->hook_heard_at && !stale(rig->hook_heard_at, kHookTrusted, now);
  const Instant due = *r.review->last_poll_at + poll_interval(town, *r.review, told);
  if (now >= due) return act(PollPr{r.bead->bead_id, r.review->pr_url});
  return Wait{told ? std::min(due, stale_at(*rig->hook_heard_at, kHookTrusted)) : due, Reason::poll_not_due};
}

/// How long after asking it is asked again: an answer can take its time, a failure is given some.
Duration publish_patience(const Town& town, const Review& review) {
  return std::max(minutes(1), backoff(town.constants(), review.publish_tries));
}

/// Work goes to the forge as it is handed in: its pull request is opened, or brought up to date.
Decision publish(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!r || !unpublished(*r.review)) return not_concerned();
  if (blocked(town, r.bead->bead_id)) return Hold{Reason::blocked};
  const Rig* rig = town.rig(r.bead->rig_id);
  if (!rig) return Hold{Reason::no_rig};
  if (!rig->broken_reason.empty()) return Hold{Reason::rig_broken};
  if (town.row().paused) return Hold{Reason::paused};
  if (draining(town, now)) return Wait{*town.row().draining_since + town.constants().drain, Reason::draining};
  if (resting(*rig, now)) return Wait{*rig->forge_rests_until, Reason::forge_rests};
  if (!r.review->publish_asked_at) return act(PublishPr{r.bead->bead_id});
  const Instant again = *r.review->publish_asked_at + publish_patience(town, *r.review);
  return now >= again ? act(PublishPr{r.bead->bead_id}) : Decision(Wait{again, Reason::publishing});
}

Decision merge(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!r || r.bead->status != kInProgress || r.review->pr_url.empty() || !r.review->auto_merge_pending)
    return not_concerned();
  const Bead* source = town.bead(r.review->source_bead_id);
  if (source && terminal(source->status)) return Hold{Reason::terminal};
  if (unpublished(*r.review)) return Hold{Reason::unpublished};
  if (r.review->strategy == Strategy::pr && blocked(town, r.bead->bead_id)) return Hold{Reason::blocked};
  if (town.row().paused) return Hold{Reason::paused};
  if (draining(town, now)) return Wait{*town.row().draining_since + town.constants().drain, Reason::draining};
  const Rig* rig = town.rig(r.bead->rig_id);
  if (rig && resting(*rig, now)) return Wait{*rig->forge_rests_until, Reason::forge_rests};
  const MaybeInstant asked = r.review->merge_requested_at;
  if (!asked || stale(asked, town.constants().merge_retry, now)) return act(MergePr{r.bead->bead_id, r.review->pr_url});
  return Wait{stale_at(*asked, town.constants().merge_retry), Reason::merge_under_way};
}

/// A batch lands as one, by its head.
bool at_its_landing(const Town& town, const Request& r) {
  const Review* head = r.review->batch_head ? town.review(r.review->batch_head) : r.review;
  return head && head->verifying_since;
}

Decision verify(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!r || !at_its_landing(town, r)) return not_concerned();
  if (r.review->batch_head) return Hold{Reason::verifying};
  const Rig* rig = town.rig(r.bead->rig_id);
  if (rig && rig->queue.ahead.head == r.bead->bead_id) return Hold{Reason::queue_behind};
  const Constants& constants = town.constants();
  if (r.review->last_verify_at && now - *r.review->last_verify_at < constants.verify_retry)
    return Wait{*r.review->last_verify_at + constants.verify_retry,
                r.review->held_why.empty() ? Reason::verifying : Reason::landing_held};
  const bool spent = r.review->held_why.empty() && r.review->verify_tries >= constants.verify_tries;
  return act(VerifyMerge{r.bead->bead_id, spent});
}

Decision orphaned_pr(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!r || r.bead->status != kInProgress || r.review->pr_url.empty() || !code_review(town, r.bead->rig_id))
    return not_concerned();
  if (r.review->awaiting_approval) return Hold{Reason::waiting_for_person};
  if (being_reviewed(town, r)) return Hold{Reason::being_worked_on};
  const Duration patience = town.constants().orphaned_pr;
  const MaybeInstant answered = heard_since(town, later(r.review->last_poll_answer_at, std::nullopt), now);
  const MaybeInstant silent_since =
      r.review->last_poll_answer_at ? answered : heard_since(town, r.bead->updated_at, now);
  if (stale(silent_since, patience, now)) return act(move(*r.bead, BeadStatus::failed, "the pull request is orphaned"));
  Instant due = stale_at(*silent_since, patience);

  bool run_ended = false, run_live = false;
  for (const RunId& id : town.links(r.bead->bead_id).runs) {
    const Run& run = *town.run(id);
    (run.state == RunState::ended ? run_ended : run_live) = true;
  }
  const bool unreviewed = r.review->verdict == Verdict::none && run_ended && !run_live && !r.review->checks_pending;
  if (!unreviewed || !r.review->pr_changed_at) return Wait{due, Reason::poll_not_due};
  const MaybeInstant changed = heard_since(town, r.review->pr_changed_at, now);
  if (!stale(changed, patience, now)) return Wait{std::min(due, stale_at(*changed, patience)), Reason::poll_not_due};
  if (r.bead->dispatch_attempts < attempts_cap(town, r.bead->rig_id))
    return act(move(*r.bead, kOpen, "its review ended without a verdict"));
  if (r.review->told_waiting) return Wait{due, Reason::waiting_for_person};
  RaiseEscalation ask;
  ask.bead_id = r.bead->bead_id;
  ask.category = "review_attempts_spent";
  ask.message = "reviewed to the cap without a verdict; review it yourself, then `town retry` or close it";
  return act(std::move(ask));
}

/// In progress without a pull request, and not at its landing.
bool in_review_here(const Town& town, const Request& r) {
  return r && r.bead->status == kInProgress && r.review->pr_url.empty() && !at_its_landing(town, r);
}

Decision stuck(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!in_review_here(town, r)) return not_concerned();
  if (blocked(town, r.bead->bead_id)) return Hold{Reason::blocked};
  if (being_reviewed(town, r)) return Hold{Reason::being_worked_on};
  Act reopen = act(move(*r.bead, kOpen, "stuck in review"));
  for (const AgentId& id : town.links(r.bead->bead_id).hooked) {
    reopen.actions.emplace_back(UnhookAgent{id, r.bead->bead_id, "stuck in review"});
    break;  // the reference frees one; more than one breaks invariant 6
  }
  return when_stale(town, r.bead->updated_at, town.constants().stuck_review, now, Reason::young, std::move(reopen));
}

Decision abandoned(const Town& town, const SubjectKey& key, Instant now) {
  const Request r = request(town, key);
  if (!in_review_here(town, r)) return not_concerned();
  if (r.review->batch_head) {
    const Bead* head = town.bead(r.review->batch_head);
    if (!head || terminal(head->status)) return act(move(*r.bead, kOpen, "the head of its batch has ended"));
  }
  if (blocked(town, r.bead->bead_id)) return Hold{Reason::blocked};
  if (!reviewers(town, r).empty()) return Hold{Reason::being_worked_on};
  return when_stale(town, r.bead->updated_at, town.constants().abandoned_review, now, Reason::young,
                    act(move(*r.bead, kOpen, "nobody reviews it")));
}

Decision stop_finished(const Town& town, const SubjectKey& key, Instant) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role != AgentRole::refinery || !at_work(*agent)) return not_concerned();
  const Bead* bead = town.bead(agent->current_hook_bead_id);
  if (!bead || !terminal(bead->status)) return not_concerned();
  const Run* run = run_of(town, *agent);
  Act stop;
  if (!run || (run->state != RunState::ended && !run->stop_requested_at))
    stop.actions.emplace_back(
        StopAgent{agent->agent_id, agent->run_id, Outcome::stopped, false, "its request has ended"});
  stop.actions.emplace_back(UnhookAgent{agent->agent_id, bead->bead_id, "its request has ended"});
  stop.actions.emplace_back(
      TransitionAgent{agent->agent_id, agent->status, AgentStatus::idle, "its request has ended"});
  return stop;
}

Decision redispatch(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role != AgentRole::refinery || agent->status != AgentStatus::idle) return not_concerned();
  const Bead* bead = town.bead(agent->current_hook_bead_id);
  if (!bead || bead->type != BeadType::merge_request || terminal(bead->status)) return not_concerned();
  if (bead->status == kOpen) return act(UnhookAgent{agent->agent_id, bead->bead_id, "its request is open again"});
  const Review* review = town.review(bead->bead_id);
  if (review && review->awaiting_approval) return Hold{Reason::waiting_for_person};
  if (run_live(town, *agent)) return Hold{Reason::run_live};
  const Gate gate = may_dispatch(town, *bead, now);
  if (gate.reason == Reason::attempts_spent)
    return act(move(*bead, BeadStatus::failed, "attempts spent"),
               UnhookAgent{agent->agent_id, bead->bead_id, "attempts spent"});
  // While runs of the rig keep failing, perhaps for this request, the probe is another one.
  const Rig* rig = town.rig(bead->rig_id);
  if (gate.reason == Reason::backoff && rig && rig->breaker.opened_at)
    return act(move(*bead, kOpen, "its runs fail; others are tried first"),
               UnhookAgent{agent->agent_id, bead->bead_id, "its runs fail; others are tried first"});
  if (!gate.open()) return as_decision(gate);
  return act(DispatchAgent{agent->agent_id, bead->bead_id, bead->rig_id, RunKind::review, gate.probe});
}

constexpr Rule kRules[] = {
    {"reviews.no_refinery", Stage::requests, kActs, no_refinery,
     "with code review off, a request with a pull request goes straight to polling"},
    {"reviews.publish", Stage::requests, kActs | kWaits | kHolds, publish,
     "work that is to be a pull request goes to the forge as it was handed in"},
    {"reviews.poll", Stage::requests, kActs | kWaits, poll, "a pull request is looked at once a minute"},
    {"reviews.merge", Stage::requests, kActs | kWaits | kHolds, merge, "a pull request that is ready is merged"},
    {"reviews.verify", Stage::requests, kActs | kWaits | kHolds, verify,
     "a reviewed result is put on its target and proven there"},
    {"reviews.orphaned_pr", Stage::requests, kActs | kWaits | kHolds, orphaned_pr,
     "a pull request that no longer answers is failed, one without a verdict reviewed again"},
    {"reviews.stuck", Stage::requests, kActs | kWaits | kHolds, stuck,
     "a request in review for 30 minutes that nobody works on goes back to the queue"},
    {"reviews.abandoned", Stage::requests, kActs | kWaits | kHolds, abandoned,
     "a request in review that nobody holds goes back to the queue after 2 minutes"},
    {"reviews.stop_finished", Stage::refineries, kActs, stop_finished,
     "a refinery at work on a request that has ended is stopped"},
    {"reviews.redispatch", Stage::refineries, kActs | kWaits | kHolds, redispatch,
     "an idle refinery that holds a request is sent to it again"},
};

}  // namespace

std::span<const Rule> review_rules() { return kRules; }

}  // namespace townd
