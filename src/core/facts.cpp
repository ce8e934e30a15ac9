#include <algorithm>

#include "core/town.hpp"

namespace townd {

bool has_label(const Bead& bead, std::string_view label) {
  return std::find(bead.labels.begin(), bead.labels.end(), label) != bead.labels.end();
}

bool rework_class(const Bead& bead) {
  return has_label(bead, "gt:rework") || has_label(bead, "gt:pr-feedback") || has_label(bead, "gt:pr-conflict") ||
         has_label(bead, "gt:pr-fixup");
}

BeadId first_blocker(const Town& town, const BeadId& id) {
  for (const BeadId& blocker : town.links(id).blockers) {
    const Bead* bead = town.bead(blocker);
    if ((bead && !terminal(bead->status)) || town.links(blocker).live_requests > 0) return blocker;
  }
  return {};
}

bool held(const Town& town, const Bead& bead) {
  if (has_label(bead, "gt:held")) return true;
  const auto& tracks = town.links(bead.bead_id).tracks;
  return std::any_of(tracks.begin(), tracks.end(), [&town](const BeadId& id) {
    const Convoy* convoy = town.convoy(id);
    return convoy && convoy->staged;
  });
}

bool run_live(const Town& town, const Agent& agent) {
  const Run* run = agent.run_id ? town.run(agent.run_id) : nullptr;
  return run && run->state != RunState::ended;
}

bool free_agent(const Town& town, const Agent& agent) {
  return agent.status == AgentStatus::idle && agent.current_hook_bead_id.empty() && !run_live(town, agent);
}

MaybeInstant heard_since(const Town& town, MaybeInstant t, Instant now) {
  MaybeInstant since = town.row().observed_since;
  if (const MaybeInstant drain = town.row().draining_since; drain && !draining(town, now))
    since = std::max(since.value_or(Instant{0}), *drain + town.constants().drain);
  if (!since) return t;
  return t ? std::max(*t, *since) : since;
}

const Convoy* convoy_of(const Town& town, const BeadId& bead) {
  for (const BeadId& id : town.links(bead).tracks)
    if (const Convoy* convoy = town.convoy(id)) return convoy;
  return nullptr;
}

bool draining(const Town& town, Instant now) {
  const MaybeInstant since = town.row().draining_since;
  return since && now - *since < town.constants().drain;
}

int attempts_cap(const Town& town, const RigId& id) {
  const Rig* rig = town.rig(id);
  return rig && rig->config.max_dispatch_attempts ? *rig->config.max_dispatch_attempts
                                                  : town.constants().max_dispatch_attempts;
}

bool code_review(const Town& town, const RigId& id) {
  const Rig* rig = town.rig(id);
  return rig && rig->config.code_review ? *rig->config.code_review : town.config().code_review;
}

const Bead* live_blocker(const Town& town, const BeadId& id, std::string_view label) {
  for (const BeadId& blocker : town.links(id).blockers)
    if (const Bead* bead = town.bead(blocker); bead && !terminal(bead->status) && has_label(*bead, label)) return bead;
  return nullptr;
}

Strategy strategy_of(const Town& town, const Rig& rig) {
  return rig.config.merge_strategy.value_or(town.config().merge_strategy);
}

bool green(const events::PollAnswer& a, const Rig* rig) {
  const bool checked = a.all_checks_pass || (a.no_checks && rig && rig->config.without_checks);
  return a.feedback_known && !a.unresolved_comments && !a.failing_checks && !a.unchecked_runs && checked &&
         a.review_decision != "REVIEW_REQUIRED" && a.review_decision != "CHANGES_REQUESTED";
}

bool unpublished(const Review& review) {
  if (review.strategy != Strategy::pr) return false;
  const bool newer = !review.commit.empty() && review.commit != review.published_commit;
  return review.pr_url.empty() || newer || !review.answered.empty();
}

std::string target_of(const Rig& rig) { return rig.config.target.empty() ? rig.default_branch : rig.config.target; }

ReadyKey ready_key(const Town& town, const Bead& bead) {
  const std::int64_t bonus = static_cast<std::int64_t>(bead.priority) * town.constants().ageing.ms;
  return {!rework_class(bead), bead.ready_since.ms - bonus, bead.bead_id};
}

bool ready(const Town& town, const Bead& bead) {
  if (bead.type != BeadType::issue || bead.status != BeadStatus::open) return false;
  if (bead.rig_id.empty() || !bead.assignee_agent_bead_id.empty()) return false;
  if (has_label(bead, "gt:triage-request") || has_label(bead, "gt:molecule-step")) return false;
  return !held(town, bead) && first_blocker(town, bead.bead_id).empty();
}

// ---- names -------------------------------------------------------------------------------------------------------

std::string_view to_string(BeadType v) {
  switch (v) {
    case BeadType::issue: return "issue";
    case BeadType::merge_request: return "merge_request";
    case BeadType::convoy: return "convoy";
    case BeadType::escalation: return "escalation";
    case BeadType::message: return "message";
    case BeadType::molecule: return "molecule";
  }
  return "";
}

std::string_view to_string(BeadStatus v) {
  switch (v) {
    case BeadStatus::open: return "open";
    case BeadStatus::in_progress: return "in_progress";
    case BeadStatus::in_review: return "in_review";
    case BeadStatus::closed: return "closed";
    case BeadStatus::failed: return "failed";
  }
  return "";
}

std::string_view to_string(Priority v) {
  switch (v) {
    case Priority::low: return "low";
    case Priority::medium: return "medium";
    case Priority::high: return "high";
    case Priority::critical: return "critical";
  }
  return "";
}

std::string_view to_string(AgentRole v) {
  switch (v) {
    case AgentRole::polecat: return "polecat";
    case AgentRole::refinery: return "refinery";
    case AgentRole::mayor: return "mayor";
  }
  return "";
}

std::string_view to_string(AgentStatus v) {
  switch (v) {
    case AgentStatus::idle: return "idle";
    case AgentStatus::working: return "working";
    case AgentStatus::waiting: return "waiting";
    case AgentStatus::stalled: return "stalled";
    case AgentStatus::dead: return "dead";
  }
  return "";
}

std::string_view to_string(RunKind v) {
  switch (v) {
    case RunKind::work: return "work";
    case RunKind::review: return "review";
    case RunKind::triage: return "triage";
    case RunKind::mayor: return "mayor";
  }
  return "";
}

std::string_view to_string(RunState v) {
  switch (v) {
    case RunState::requested: return "requested";
    case RunState::starting: return "starting";
    case RunState::running: return "running";
    case RunState::ended: return "ended";
  }
  return "";
}

std::string_view to_string(Outcome v) {
  switch (v) {
    case Outcome::done: return "done";
    case Outcome::changes_requested: return "changes_requested";
    case Outcome::no_done: return "no_done";
    case Outcome::task_failed: return "task_failed";
    case Outcome::crashed: return "crashed";
    case Outcome::timed_out: return "timed_out";
    case Outcome::lost: return "lost";
    case Outcome::never_started: return "never_started";
    case Outcome::refused: return "refused";
    case Outcome::stopped: return "stopped";
    case Outcome::evicted: return "evicted";
    case Outcome::not_logged_in: return "not_logged_in";
    case Outcome::rate_limited: return "rate_limited";
  }
  return "";
}

std::string_view events::to_string(TrialOutcome v) {
  switch (v) {
    case TrialOutcome::green: return "green";
    case TrialOutcome::red: return "red";
    case TrialOutcome::conflict: return "conflict";
    case TrialOutcome::error: return "error";
    case TrialOutcome::broken: return "broken";
  }
  return "";
}

std::string_view to_string(Verdict v) {
  switch (v) {
    case Verdict::none: return "none";
    case Verdict::approved: return "approved";
    case Verdict::changes: return "changes";
  }
  return "";
}

std::string_view to_string(ReviewResult v) {
  switch (v) {
    case ReviewResult::none: return "none";
    case ReviewResult::merged: return "merged";
    case ReviewResult::failed: return "failed";
    case ReviewResult::conflict: return "conflict";
    case ReviewResult::superseded: return "superseded";
    case ReviewResult::cancelled: return "cancelled";
    case ReviewResult::rounds_exhausted: return "rounds_exhausted";
  }
  return "";
}

}  // namespace townd
