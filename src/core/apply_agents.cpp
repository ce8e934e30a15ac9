#include <algorithm>

#include "core/apply_event.hpp"

/// What agents say and how their processes end (domain.md §6: done, request_changes, completed).
namespace townd::apply {
namespace {

/// The agent's current run when the callback names none or this one; null for another or no run.
const Run* current_run(const Town& town, const Agent& agent, const RunId& named) {
  if (agent.run_id.empty() || (!named.empty() && named != agent.run_id)) return nullptr;
  return town.run(agent.run_id);
}

/// The newest-updated live bead assigned to the agent that nobody is hooked to; requests only, for a refinery.
BeadId last_assigned(const Town& town, const Agent& agent) {
  const Bead* newest = nullptr;
  for (const BeadId& id : town.assigned(agent.agent_id)) {
    const Bead* bead = town.bead(id);
    const bool right_kind = (bead->type == BeadType::merge_request) == (agent.role == AgentRole::refinery);
    if (!right_kind || !town.links(id).hooked.empty()) continue;
    if (bead->type == BeadType::issue && has_label(*bead, "gt:triage-request")) continue;
    if (!newest || bead->updated_at > newest->updated_at) newest = bead;
  }
  return newest ? newest->bead_id : BeadId{};
}

/// The bead that a done is about (domain.md §1: run, else hook, else the last one assigned).
BeadId subject_of_done(const Town& town, const Agent& agent, const events::AgentDone& done) {
  if (done.run_id) {
    const Run* run = town.run(done.run_id);
    return run && run->agent_id == agent.agent_id ? run->bead_id : BeadId{};
  }
  if (const Run* run = current_run(town, agent, {}); run && run->state != RunState::ended) return run->bead_id;
  if (agent.current_hook_bead_id) return agent.current_hook_bead_id;
  return last_assigned(town, agent);
}

/// Nobody else has taken the work over since: a late done still counts.
bool still_theirs(const Town& town, const Agent& agent, const BeadId& bead, const Run* run, Instant now) {
  const BeadLinks& around = town.links(bead);
  for (const AgentId& hooked : around.hooked)
    if (hooked != agent.agent_id) return false;
  if (!run) return true;
  if (run->ended_at && now - *run->ended_at > town.constants().late_done) return false;
  return std::none_of(around.runs.begin(), around.runs.end(), [&](const RunId& other) {
    return other != run->run_id && town.run(other)->requested_at >= run->requested_at && other > run->run_id;
  });
}

void keep_evidence(Change& change, const Run* run, const events::AgentDone& done) {
  if (!run) return;
  Run kept = *run;
  kept.branch = done.branch;
  kept.commit = done.commit;
  change.town().put(std::move(kept));
}

/// A rework-class bead is closed by its done; the request that it was for gets the newer work.
void close_rework(Change& change, const Bead& bead, const events::AgentDone& done) {
  const auto* rework = bead.detail ? std::get_if<Rework>(bead.detail.get()) : nullptr;
  const BeadId request = rework && rework->request ? rework->request : bead.parent_bead_id;
  if (const Review* review = change.town().review(request); review && !done.commit.empty()) {
    Review renewed = *review;
    renewed.commit = done.commit;
    renewed.source_run_id = done.run_id;
    renewed.verdict = Verdict::none;
    renewed.reviewed = false;
    if (rework) renewed.answered.insert(renewed.answered.end(), rework->threads.begin(), rework->threads.end());
    if (!done.branch.empty() && renewed.strategy == Strategy::direct) renewed.branch = done.branch;
    change.town().put(std::move(renewed));
  }
  change.set_status(bead.bead_id, BeadStatus::closed);
}

void polecat_done(Change& change, const Agent& agent, const Bead& bead, const events::AgentDone& done) {
  if (rework_class(bead) || has_label(bead, "gt:triage")) {
    close_rework(change, bead, done);
  } else if (bead.status == BeadStatus::in_progress || bead.status == BeadStatus::open) {
    change.submit(bead.bead_id, agent, done);
    change.set_status(bead.bead_id, BeadStatus::in_review);
    change.assign(bead.bead_id, agent.agent_id);
  }
  if (change.town().agent(agent.agent_id)->current_hook_bead_id == bead.bead_id) change.let_go(agent.agent_id);
}

void unproven(Change& change, const Bead& request, const Agent& agent, std::string_view why) {
  const BeadId source = change.town().review(request.bead_id)->source_bead_id;
  change.not_merged(request.bead_id, ReviewResult::failed, why);
  Escalation escalation;
  escalation.severity = Priority::high;
  escalation.category = "refinery_unhooked_done";
  escalation.message = why;
  escalation.source = source;
  escalation.agent = agent.agent_id;
  change.escalate(std::move(escalation), request.rig_id, "Unproven merge: " + request.title);
}

/// A coding agent has read the work: townd merges and gates it itself.
bool queued_when_approved(const Town& town, const Bead& request, const Run* run) {
  const Rig* rig = town.rig(request.rig_id);
  if (!rig || town.review(request.bead_id)->strategy != Strategy::direct) return false;
  return (run && !run->preset.empty() ? run->preset : preset_for(town, *rig, request)) != "refine";
}

void approve(Change& change, const Bead& request, const Agent& agent, const events::AgentDone& done) {
  Review review = *change.town().review(request.bead_id);
  review.reviewed = true;
  change.town().put(std::move(review));
  change.back_to_queue(request.bead_id);
  change.history(request.bead_id, "approved", "", done.summary, agent.agent_id);
}

void refinery_done(Change& change, const Agent& agent, const Bead& request, const Run* run,
                   const events::AgentDone& done) {
  Town& town = change.town();
  const bool hooked = agent.current_hook_bead_id == request.bead_id;
  const bool signed_off = (run && run->requested_changes) || live_blocker(town, request.bead_id, "gt:rework");
  if (signed_off) {
    change.set_status(request.bead_id, BeadStatus::open);
  } else if (done.pr_url.empty() && !hooked && !run) {
    unproven(change, request, agent, "the refinery says merged, but holds no request and names no commit");
  } else if (queued_when_approved(town, request, run)) {
    if (hooked) approve(change, request, agent, done);  // else it has read what is not the work any more
  } else if (const Review& known = *town.review(request.bead_id); known.strategy == Strategy::pr) {
    // Of what it held when it said so; else the work is another than what it has read.
    if (hooked && !known.pr_url.empty()) {
      change.approve_pr(request.bead_id, done.summary, agent.agent_id);
      change.set_status(request.bead_id, BeadStatus::in_progress);
    }
  } else if (!done.pr_url.empty() && !done.pr_url.starts_with("https://")) {
    change.history(request.bead_id, "pr_creation_failed", "", done.pr_url, agent.agent_id);
    change.not_merged(request.bead_id, ReviewResult::failed, "not a pull request URL: " + done.pr_url);
  } else {
    Review review = *town.review(request.bead_id);
    review.verdict = Verdict::approved;
    if (done.pr_url.empty()) {
      review.claimed_commit = done.commit;
      review.trial_run_id = run ? run->run_id : RunId{};
      review.verifying_since = change.now();
      review.verify_tries = 0;
      review.last_verify_at.reset();
    } else {
      review.pr_url = done.pr_url;
      change.history(request.bead_id, "pr_created", "", done.pr_url, agent.agent_id);
    }
    town.put(std::move(review));
    change.set_status(request.bead_id, BeadStatus::in_progress);
  }
  if (hooked) change.unhook(agent.agent_id);
  change.set_status(agent.agent_id, AgentStatus::idle);
}

/// Bead and assignee after a run ended without a word of its own.
void give_back(Change& change, const BeadId& bead) {
  const Bead* row = change.town().bead(bead);
  if (!row || row->status != BeadStatus::in_progress) return;
  change.set_status(bead, BeadStatus::open);
  change.clear_assignee(bead);
}

}  // namespace

std::optional<Outcome> outcome_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Outcome::rate_limited); ++i)
    if (to_string(static_cast<Outcome>(i)) == name) return static_cast<Outcome>(i);
  return std::nullopt;
}

Result on(Change& change, const events::AgentDone& e) {
  Town& town = change.town();
  const Agent* found = town.agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  const Agent agent = *found;
  const BeadId bead_id = subject_of_done(town, agent, e);
  const Run* run = e.run_id ? town.run(e.run_id) : current_run(town, agent, {});
  if (run && run->bead_id != bead_id) run = nullptr;
  keep_evidence(change, run, e);
  if (run) run = town.run(run->run_id);
  const Bead* bead = town.bead(bead_id);
  if (!bead) return noted(change, "done, but on no bead");
  if (terminal(bead->status)) {
    if (agent.current_hook_bead_id == bead_id) change.let_go(agent.agent_id);
    return noted(change, "done, but the bead is already " + std::string(to_string(bead->status)));
  }
  if (run && run->outcome == Outcome::done) return noted(change, "done twice");
  if (!still_theirs(town, agent, bead_id, run, change.now()))
    return noted(change, "done, but the work has been given to somebody else; the branch is kept");
  const Bead before = *bead;
  const std::optional<Run> its_run = run ? std::optional(*run) : std::nullopt;
  if (its_run)
    change.settle_run(its_run->run_id, its_run->requested_changes ? Outcome::changes_requested : Outcome::done);
  if (agent.role == AgentRole::refinery && town.review(bead_id)) {
    refinery_done(change, agent, before, its_run ? &*its_run : nullptr, e);
  } else {
    polecat_done(change, agent, before, e);
  }
  return applied();
}

Result on(Change& change, const events::AgentCompleted& e) {
  Town& town = change.town();
  AgentId id = e.agent_id;
  if (id.empty() && !town.mayors().empty()) id = *town.mayors().begin();
  const Agent* found = town.agent(id);
  if (!found) return noted(change, "no such agent");
  const Agent agent = *found;
  if (e.run_id && e.run_id != agent.run_id) {
    change.end_run(e.run_id, outcome_named(e.reason).value_or(Outcome::lost), e.reason, e.limited_until);
    return noted(change, "the end of an earlier run");
  }
  const bool ok = e.status == "completed";
  const bool evicted = e.reason == "container eviction";
  const std::optional<Outcome> named = outcome_named(e.reason);
  Outcome outcome = named.value_or(ok ? Outcome::no_done : Outcome::crashed);
  if (!ok && (e.reason.empty() || e.reason == "gave_up")) outcome = Outcome::task_failed;
  if (evicted) outcome = Outcome::evicted;
  if (ok && agent.role == AgentRole::mayor) outcome = Outcome::done;

  const Run* run = current_run(town, agent, e.run_id);
  const bool over = run && (run->outcome.has_value() || run->state == RunState::ended);
  const BeadId hook = agent.current_hook_bead_id;
  const bool about_hook = hook && (!run || run->bead_id == hook);
  if (run && (e.tokens > run->tokens || e.cost_micro_usd > run->cost_micro_usd)) {
    Run spent = *run;
    spent.tokens = std::max(run->tokens, e.tokens);
    spent.cost_micro_usd = std::max(run->cost_micro_usd, e.cost_micro_usd);
    town.put(std::move(spent));
  }
  if (run)
    change.end_run(agent.run_id, outcome, e.reason, e.limited_until);
  else if (about_hook && !costs_attempt(outcome) && agent.role == AgentRole::polecat)
    change.refund(hook);
  change.set_status(id, AgentStatus::idle);
  if (agent.role != AgentRole::polecat || !hook) return applied();
  change.unhook(id);
  if (!about_hook || over) return applied();
  if (outcome == Outcome::task_failed) {
    change.history(hook, "agent_failed", "", e.reason, id);
    change.set_status(hook, BeadStatus::failed);
  } else if (!ok || evicted) {
    give_back(change, hook);
  }
  return applied();
}

Result on(Change& change, const events::AgentWaiting& e) {
  const Agent* agent = change.town().agent(e.agent_id);
  if (!agent) return noted(change, "no such agent");
  if (e.fired_at && agent->last_activity_at && *e.fired_at < *agent->last_activity_at)
    return noted(change, "older than its last sign of life");
  change.set_status(e.agent_id, AgentStatus::waiting);
  return applied();
}

Result on(Change& change, const events::AgentCheckpoint& e) {
  const Agent* found = change.town().agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  Agent agent = *found;
  agent.checkpoint = change.text(e.data);
  change.town().put(std::move(agent));
  return applied();
}

Result on(Change& change, const events::AgentSaid& e) {
  const Agent* found = change.town().agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  Agent agent = *found;
  agent.status_message = e.message;
  agent.status_message_at = change.now();
  const BeadId hook = agent.current_hook_bead_id;
  change.town().put(std::move(agent));
  if (hook) change.history(hook, "agent_status", "", e.message, e.agent_id);
  return applied();
}

Result on(Change& change, const events::RequestChanges& e) {
  Town& town = change.town();
  const Agent* agent = town.agent(e.agent_id);
  if (!agent) return noted(change, "no such agent");
  const BeadId request = e.bead_id ? e.bead_id : agent->current_hook_bead_id;
  if (e.run_id && e.run_id != agent->run_id) return noted(change, "asked for by an earlier run");
  const Bead* bead = town.bead(request);
  if (!bead || !town.review(request) || terminal(bead->status)) return noted(change, "no live request to change");
  change.sign_off(agent->run_id);
  change.send_back(request, e.feedback, e.files);
  return applied();
}

Result on(Change& change, const events::EscalationRaised& e) {
  Town& town = change.town();
  const Agent* agent = town.agent(e.agent_id);
  Escalation escalation;
  escalation.severity = e.severity;
  escalation.category = e.category;
  escalation.message = e.body.empty() ? e.title : e.body;
  escalation.agent = e.agent_id;
  if (agent) escalation.source = agent->current_hook_bead_id;
  if (escalation.source && !town.links(escalation.source).tracks.empty())
    escalation.convoy = town.links(escalation.source).tracks.front();
  change.escalate(std::move(escalation), e.rig_id ? e.rig_id : (agent ? agent->rig_id : RigId{}),
                  "Escalation: " + e.title.substr(0, 100));
  for (const AgentId& mayor : town.mayors())
    if (e.severity != Priority::low) change.mail(e.agent_id, mayor, e.rig_id, "Escalation: " + e.title, e.body);
  return applied();
}

}  // namespace townd::apply
