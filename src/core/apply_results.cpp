#include <algorithm>

#include "core/apply_event.hpp"
#include "core/merge_queue.hpp"

/// What effects and the machine find out (domain.md §6: dispatch, poll, verify_merge).
namespace townd::apply {
namespace {

bool live(const Bead* bead) { return bead && !terminal(bead->status); }

/// The live request that an answer is about, or null: answers for a terminal request are ignored.
const Review* live_review(Change& change, const BeadId& id) {
  if (live(change.town().bead(id))) return change.town().review(id);
  change.note("no live request");
  return nullptr;
}

/// A landing that was given up because nobody answered, and had happened: the commit is on the target, whatever was
/// believed of it. Work on the source that began again is let go, or it would land twice.
bool landed_after_all(Change& change, const BeadId& id, std::string_view commit) {
  const Town& town = change.town();
  const Review* review = town.review(id);
  if (review == nullptr || live(town.bead(id)) || review->result != ReviewResult::failed) return false;
  const Bead* source = town.bead(review->source_bead_id);
  if (!live(source) || source->type == BeadType::convoy) return false;
  change.merged_after_all(id, commit);
  return true;
}

}  // namespace

// ---- runs --------------------------------------------------------------------------------------------------------

Result on(Change& change, const events::ContainerEviction&) { return noted(change, "kept for the record"); }

Result on(Change& change, const events::ContainerStatus& e) {
  Town& town = change.town();
  const Agent* found = town.agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  const Agent agent = *found;
  if (e.run_id && e.run_id != agent.run_id) return noted(change, "the status of an earlier run");
  if (e.status != "exited" && e.status != "failed" && e.status != "not_found") return noted(change, "no evidence");
  const Run* run = agent.run_id ? town.run(agent.run_id) : nullptr;
  if (e.status == "not_found") {
    MaybeInstant sign = agent.last_activity_at;
    if (run && run->last_sign_at) sign = std::max(sign.value_or(Instant{0}), *run->last_sign_at);
    if (sign && change.now() - *sign <= town.constants().not_found_grace)
      return noted(change, "within the grace of a start");
  }
  if (run) {
    const Outcome outcome = e.status == "not_found"          ? Outcome::lost
                            : e.status == "failed"           ? Outcome::crashed
                            : agent.role == AgentRole::mayor ? Outcome::done
                                                             : Outcome::no_done;
    change.end_run(agent.run_id, outcome, e.exit_reason);
  }
  if (agent.status == AgentStatus::idle || agent.status == AgentStatus::dead) return applied();
  change.set_status(e.agent_id, AgentStatus::idle);
  const Bead* hook = town.bead(agent.current_hook_bead_id);
  if (agent.role == AgentRole::refinery && hook && terminal(hook->status)) change.unhook(e.agent_id);
  return applied();
}

Result on(Change& change, const events::DispatchAccepted& e) {
  const Run* found = change.town().run(e.run_id);
  if (!found || found->state != RunState::requested) return applied();
  Run run = *found;
  run.state = RunState::starting;
  change.town().put(std::move(run));
  return applied();
}

Result on(Change& change, const events::DispatchRefused& e) {
  Town& town = change.town();
  const Run* run = town.run(e.run_id);
  if (!run || run->state == RunState::ended) return noted(change, "no such start under way");
  const AgentId agent_id = run->agent_id;
  const BeadId bead_id = run->bead_id;
  if (const Rig* found = town.rig(run->rig_id); found && e.setup_failed) {
    Rig rig = *found;
    rig.broken_reason = e.reason;
    rig.broken_since = change.now();
    rig.setup_failed = true;
    town.put(std::move(rig));
  }
  change.end_run(e.run_id, e.outcome, e.reason, e.limited_until);
  const Agent* agent = town.agent(agent_id);
  if (!agent || agent->run_id != e.run_id) return applied();
  change.set_status(agent_id, AgentStatus::idle);
  const Bead* bead = town.bead(bead_id);
  if (!bead || bead->type != BeadType::issue) return applied();  // a request stays with its refinery: Q6 goes on
  change.unhook(agent_id);
  if (bead->status == BeadStatus::in_progress) {
    change.set_status(bead_id, BeadStatus::open);
    change.clear_assignee(bead_id);
  }
  return applied();
}

Result on(Change& change, const events::AgentStopped& e) {
  Town& town = change.town();
  const Run* run = town.run(e.run_id);
  if (!run || run->state == RunState::ended) return noted(change, "no such run under way");
  change.end_run(e.run_id, Outcome::stopped, run->stop_rule);
  const Agent* agent = town.agent(run->agent_id);
  if (agent && agent->run_id == e.run_id && agent->status == AgentStatus::waiting)
    change.set_status(agent->agent_id, AgentStatus::idle);
  return applied();
}

Result on(Change& change, const events::NodeChanged& e) {
  TownRow row = change.town().row();
  NodeFacts node = e.node;
  for (PresetState& state : node.presets) {  // what runs have told about limits stays until it is over
    for (const PresetState& known : row.node.presets)
      if (known.preset == state.preset && !state.limited_until) state.limited_until = known.limited_until;
  }
  if (node.runtime_reachable != row.node.runtime_reachable)
    node.runtime_since = change.now();
  else
    node.runtime_since = row.node.runtime_since;
  row.node = std::move(node);
  change.town().put(std::move(row));
  return applied();
}

Result on(Change& change, const events::ObservationGap& e) {
  TownRow row = change.town().row();
  row.observed_since = std::max(e.to, row.observed_since.value_or(Instant{0}));
  change.town().put(std::move(row));
  return applied();
}

Result on(Change& change, const events::RigChecked& e) {
  const Rig* found = change.town().rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  Rig rig = *found;
  if (rig.setup_failed && e.broken_reason.empty())
    return noted(change, "its setup failed, which this does not look at");
  if (rig.broken_reason != e.broken_reason) {
    rig.broken_reason = e.broken_reason;
    rig.broken_since = e.broken_reason.empty() ? std::nullopt : MaybeInstant(change.now());
  }
  if (!e.default_branch.empty()) rig.default_branch = e.default_branch;
  change.town().put(std::move(rig));
  return applied();
}

// ---- messages ----------------------------------------------------------------------------------------------------

Result on(Change& change, const events::NudgeDelivered& e) {
  const Nudge* found = change.town().nudge(e.nudge_id);
  if (!found) return noted(change, "no such nudge");
  Nudge nudge = *found;
  if (e.delivered)
    nudge.delivered_at = change.now();
  else
    nudge.expired = true;  // the agent's program takes no messages; prime shows what still matters
  change.town().put(std::move(nudge));
  return applied();
}

Result on(Change& change, const events::MailDelivered& e) {
  const Mail* found = change.town().mail(e.mail_id);
  if (!found) return noted(change, "no such mail");
  if (!e.delivered) return noted(change, "waits for the agent to read it");
  Mail mail = *found;
  mail.delivered_at = change.now();
  change.town().put(std::move(mail));
  return applied();
}

// ---- landing -----------------------------------------------------------------------------------------------------

Result on(Change& change, const events::GitMergeResult& e) {
  if (e.answer == events::LandingAnswer::landed && landed_after_all(change, e.bead_id, e.commit))
    return noted(change, "it had landed after all");
  const Review* review = live_review(change, e.bead_id);
  if (!review) return applied();
  if (!review->verifying_since) return noted(change, "nothing is being verified");
  const bool of_several = !change.town().links(e.bead_id).members.empty();
  if (of_several && e.answer == events::LandingAnswer::landed && e.commit != review->claimed_commit)
    return noted(change, "the landing of an earlier trial");
  switch (e.answer) {
    case events::LandingAnswer::landed: {
      const bool gated = !review->base_commit.empty();  // a claim that no trial has made is not
      for (const BeadId& id : change.break_up(e.bead_id)) change.merged(id, "commit", e.commit);
      if (const Rig* found = change.town().rig(change.town().bead(e.bead_id)->rig_id)) {
        Rig rig = *found;
        target_is_sound(rig.queue, gated ? e.commit : "");
        change.town().put(std::move(rig));
      }
      break;
    }
    case events::LandingAnswer::moved:  // the trial was on an older base: try again, nobody is to blame
      for (const BeadId& id : change.break_up(e.bead_id)) {
        change.back_to_queue(id);
        change.history(id, "landing_moved", "", e.why);
      }
      break;
    case events::LandingAnswer::held: {
      if (of_several && e.alone) {  // for what one of them is: the others need not wait
        change.halve(e.bead_id, "");
        break;
      }
      Review held = *review;
      held.held_why = e.why;
      held.held_alone = held.held_alone || e.alone;  // meanwhile another request may be at its landing
      held.verify_tries = 0;
      const bool alone = held.held_alone;
      change.town().put(std::move(held));
      if (alone) change.call_off_ahead(e.bead_id);
      break;
    }
    case events::LandingAnswer::failed: {
      if (of_several) {
        change.history(e.bead_id, "landing_failed", "", e.why);
        change.halve(e.bead_id, "");
        break;
      }
      const Bead request = *change.town().bead(e.bead_id);
      const BeadId source = review->source_bead_id;
      change.not_merged(e.bead_id, ReviewResult::failed, e.why);
      Escalation escalation;
      escalation.severity = Priority::high;
      escalation.category = "landing_failed";
      escalation.message = e.why;
      escalation.source = source;
      change.escalate(std::move(escalation), request.rig_id, "Landing failed: " + request.title);
      break;
    }
  }
  return applied();
}

// ---- pull requests -----------------------------------------------------------------------------------------------

namespace {

bool refused_for_good(const events::PollAnswer& a) {
  return a.error_kind == "no_token" || a.error_kind == "unrecognized_url" || a.error_kind == "host_mismatch" ||
         (a.error_kind == "http_error" && !a.transient);
}

std::string poll_message(const events::PollAnswer& a) {
  const std::string provider = a.provider == "gitlab" ? "GitLab" : "GitHub";
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

void poll_failed(Change& change, const BeadId& id, const events::PollAnswer& a) {
  Review review = *change.town().review(id);
  const Constants& constants = change.town().constants();
  const bool malformed = a.error_kind == "invalid_response";
  review.poll_error_kind = a.error_kind;
  review.poll_transient_count = malformed ? 0 : review.poll_transient_count + 1;
  review.poll_non_transient_count = malformed ? review.poll_non_transient_count + 1 : 0;
  const bool over = refused_for_good(a) || review.poll_transient_count >= constants.poll_transient_limit ||
                    review.poll_non_transient_count >= constants.poll_malformed_limit;
  change.town().put(std::move(review));
  if (over) change.fail_request(id, ReviewResult::failed, "pr_poll_failed", a.error_kind, poll_message(a));
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
  const bool green = a.feedback_known && !a.unresolved_comments && !a.failing_checks && !a.unchecked_runs &&
                     a.all_checks_pass && !review.awaiting_approval && a.review_decision != "CHANGES_REQUESTED";
  if (!green)
    review.auto_merge_ready_since.reset();
  else if (!review.auto_merge_ready_since)
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
  if (!a.ok) {
    poll_failed(change, e.bead_id, a);
    return applied();
  }
  const Review seen = note_answer(change, e.bead_id, a);
  if (a.status != "open") {
    pr_ended(change, e.bead_id, a.status);
    return applied();
  }
  if (a.mergeable_state == "unknown") return applied();
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
  if (resolve && a.feedback_known && (a.unresolved_comments || a.failing_checks || a.unchecked_runs))
    if (auto done = on(change, events::PrFeedbackDetected{e.bead_id, seen.pr_url, a.pr_number, a.repo, seen.branch,
                                                          a.unresolved_comments, a.failing_checks, a.unchecked_runs});
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

/// The live rework-class bead with this label that blocks the request.
const Bead* live_blocker(const Town& town, const BeadId& request, std::string_view label) {
  for (const BeadId& id : town.links(request).blockers) {
    const Bead* bead = town.bead(id);
    if (live(bead) && has_label(*bead, label)) return bead;
  }
  return nullptr;
}

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
  const std::string title = "Address " + what + " on PR #" + std::to_string(e.pr_number) + " (" + repo + ")";
  change.create_rework(e.mr_bead_id, "gt:pr-feedback", title,
                       title + "\n\n" + e.pr_url + "\nWork on branch " + e.branch + ".", std::move(rework));
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

Result on(Change& change, const events::PrMergeResult& e) {
  const Review* found = live_review(change, e.bead_id);
  if (!found) return applied();
  if (e.merged) {
    change.merged(e.bead_id, "forge", "");
    return applied();
  }
  Review review = *found;
  review.auto_merge_pending = false;
  review.auto_merge_ready_since.reset();
  review.merge_requested_at.reset();
  change.town().put(std::move(review));
  change.history(e.bead_id, "merge_refused", "", e.why);
  return applied();
}

}  // namespace townd::apply
