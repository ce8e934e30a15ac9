#include "core/assignment.hpp"
#include "core/molecule.hpp"
#include "core/rules/common.hpp"

/// R: who works on what, and issues whose agent, review or parent is gone.
namespace townd {
namespace {

using namespace actions;

constexpr auto kOpen = BeadStatus::open;
constexpr auto kFailed = BeadStatus::failed;

TransitionBead move(const Bead& bead, BeadStatus to, std::string reason) {
  return {bead.bead_id, bead.status, to, std::move(reason)};
}

RunKind work_of(const Bead& bead) { return has_label(bead, "gt:triage") ? RunKind::triage : RunKind::work; }

const Bead* issue(const Town& town, const SubjectKey& key) {
  const Bead* bead = bead_of(town, key);
  return bead && bead->type == BeadType::issue && !terminal(bead->status) ? bead : nullptr;
}

Decision stale_assignee(const Town& town, const SubjectKey& key, Instant) {
  const Bead* bead = issue(town, key);
  if (!bead || bead->status != kOpen || bead->assignee_agent_bead_id.empty()) return not_concerned();
  if (bead->assignee_agent_bead_id.text == kSystemActor) return Hold{Reason::unassignable};
  if (has_label(*bead, "gt:triage-request")) return not_concerned();
  const auto& hooked = town.links(bead->bead_id).hooked;
  if (std::find(hooked.begin(), hooked.end(), bead->assignee_agent_bead_id) != hooked.end())
    return Hold{Reason::being_worked_on};
  return act(ClearBeadAssignee{bead->bead_id});
}

Decision lost_agent(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = issue(town, key);
  if (!bead || bead->status != BeadStatus::in_progress) return not_concerned();
  const Constants& constants = town.constants();
  const BeadLinks& around = town.links(bead->bead_id);
  MaybeInstant quiet_at;  // when the last idle agent that holds it will have been silent for long enough
  for (const AgentId& id : around.hooked) {
    const Agent& agent = *town.agent(id);
    if (at_work(agent)) return Hold{Reason::agent_alive};
    const MaybeInstant since = heard_since(town, agent.last_activity_at, now);
    if (!stale(since, constants.heartbeat_stale, now))
      quiet_at = later(quiet_at, stale_at(*since, constants.heartbeat_stale));
  }
  if (quiet_at) return Wait{*quiet_at, Reason::heard_recently};
  MaybeInstant last_end;
  for (const RunId& id : around.runs) {
    const Run& run = *town.run(id);
    if (run.state != RunState::ended) return Hold{Reason::run_live};
    last_end = later(last_end, run.ended_at);
  }
  Act give_back;
  const bool spent = bead->dispatch_attempts >= attempts_cap(town, bead->rig_id);
  give_back.actions.emplace_back(move(*bead, spent ? kFailed : kOpen, spent ? "attempts spent" : "its agent is gone"));
  give_back.actions.emplace_back(ClearBeadAssignee{bead->bead_id});
  if (last_end)
    return when_stale(town, last_end, constants.lost_agent_after_run, now, Reason::young, std::move(give_back));
  return when_stale(town, later(bead->status_since, bead->last_unhook_at), constants.lost_agent, now, Reason::young,
                    std::move(give_back));
}

/// The newest request of a source by creation, then id.
const Bead* newest_request(const Town& town, const BeadId& source) {
  const Bead* newest = nullptr;
  for (const BeadId& id : town.links(source).requests) {
    const Bead* request = town.bead(id);
    if (request && (!newest || request->created_at >= newest->created_at)) newest = request;
  }
  return newest;
}

/// Not even an answer for long, which says nothing of the work: it is asked again.
bool forge_silent(const Review& review) {
  return (review.failure_reason == "pr_publish_failed" && review.failure_kind == "network") ||
         (review.failure_reason == "pr_poll_failed" && review.published_at &&
          review.failure_kind != "invalid_response");
}

bool forge_refused(const Town& town, const Review& review) {
  if (review.failure_reason == "pr_publish_failed") return !forge_silent(review);  // what failed was not the work
  if (review.failure_reason == "pr_poll_failed" && review.published_at && review.failure_kind == "invalid_response")
    return true;
  return review.failure_reason == "pr_poll_failed" &&
         (review.failure_kind == "no_token" || review.failure_kind == "unrecognized_url" ||
          review.failure_kind == "host_mismatch" ||
          (review.failure_kind == "http_error" && review.poll_transient_count < town.constants().poll_transient_limit));
}

}  // namespace

const Review* forge_refusal(const Town& town, const BeadId& source) {
  const Bead* last = newest_request(town, source);
  const Review* review = last ? town.review(last->bead_id) : nullptr;
  const bool refused = review && !review->retry_refused && town.links(source).live_requests == 0;
  return refused && forge_refused(town, *review) ? review : nullptr;
}

namespace {

Decision orphaned_review(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = issue(town, key);
  if (!bead || bead->status != BeadStatus::in_review) return not_concerned();
  const BeadLinks& around = town.links(bead->bead_id);
  if (around.live_requests > 0) return Hold{Reason::review_live};
  bool merged = false;
  for (const BeadId& id : around.requests)
    if (const Review* review = town.review(id)) merged = merged || review->result == ReviewResult::merged;
  const MaybeInstant since = later(bead->status_since, bead->last_unhook_at);
  const Duration patience = town.constants().orphaned_source;
  if (merged)
    return when_stale(town, since, patience, now, Reason::young,
                      act(move(*bead, BeadStatus::closed, "its work is merged")));
  const Bead* last = newest_request(town, bead->bead_id);
  const Review* refused = last ? town.review(last->bead_id) : nullptr;
  const bool by_forge = refused && forge_refused(town, *refused);
  if (by_forge || (refused && forge_silent(*refused))) {
    if (forge_refusal(town, bead->bead_id)) return Hold{Reason::forge_refused};
    CreateMrBead again{bead->bead_id,   last->bead_id,          refused->source_agent_id, bead->rig_id,
                       refused->branch, refused->target_branch, refused->pr_url};
    return when_stale(town, since, patience, now, Reason::young, act(std::move(again)));
  }
  return when_stale(town, since, patience, now, Reason::young,
                    act(move(*bead, kOpen, "no review of it is left"), ClearBeadAssignee{bead->bead_id}));
}

Decision moot(const Town& town, const SubjectKey& key, Instant) {
  const Bead* bead = issue(town, key);
  if (!bead || !rework_class(*bead)) return not_concerned();
  const auto* rework = bead->detail ? std::get_if<Rework>(bead->detail.get()) : nullptr;
  const Bead* parent = town.bead(rework && rework->request ? rework->request : bead->parent_bead_id);
  if (!parent || parent->type != BeadType::merge_request || !terminal(parent->status)) return not_concerned();
  Act close = act(move(*bead, BeadStatus::closed, "the request it is for has ended"));
  for (const AgentId& id : town.links(bead->bead_id).hooked) {
    const Agent& agent = *town.agent(id);
    if (agent.status != AgentStatus::idle && agent.status != AgentStatus::dead)
      close.actions.emplace_back(TransitionAgent{id, agent.status, AgentStatus::idle, "its work is moot"});
    close.actions.emplace_back(UnhookAgent{id, bead->bead_id, "its work is moot"});
  }
  return close;
}

Decision redispatch(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role == AgentRole::refinery || agent->status != AgentStatus::idle) return not_concerned();
  const Bead* bead = town.bead(agent->current_hook_bead_id);
  if (!bead || bead->status != kOpen) return not_concerned();
  if (bead->dispatch_attempts >= attempts_cap(town, bead->rig_id ? bead->rig_id : agent->rig_id))
    return act(move(*bead, kFailed, "attempts spent"), UnhookAgent{agent->agent_id, bead->bead_id, "attempts spent"});
  if (run_live(town, *agent)) return Hold{Reason::run_live};
  const Gate gate = may_dispatch(town, *bead, now);
  if (!gate.open()) return as_decision(gate);
  return act(DispatchAgent{agent->agent_id, bead->bead_id, bead->rig_id, work_of(*bead), gate.probe});
}

/// The subject is one bead of the rig's ready queue; the tick walks the queue in its order.
Decision assign(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::issue || bead->status != kOpen) return not_concerned();
  if (has_label(*bead, "gt:triage-request") || molecule_step(town, *bead)) return not_concerned();
  if (bead->rig_id.empty()) return Hold{Reason::no_rig};
  if (!bead->assignee_agent_bead_id.empty()) return not_concerned();
  if (!town.links(bead->bead_id).hooked.empty()) return Hold{Reason::hooked_elsewhere};
  const Gate gate = may_dispatch(town, *bead, now);
  if (gate.reason == Reason::attempts_spent) return act(move(*bead, kFailed, "attempts spent"));
  if (!gate.open()) return as_decision(gate);
  return act(DispatchAgent{AgentId{}, bead->bead_id, bead->rig_id, work_of(*bead), gate.probe});
}

Decision breaker(const Town& town, const SubjectKey&, Instant) {
  const auto untold = [](const Breaker& b) { return b.opened_at && !b.told; };
  if (untold(town.row().breaker))
    return act(
        NotifyMayor{RigId{}, "too many runs failed in the whole town; new work waits, one probe every 5 minutes"});
  for (const RigId& id : town.rig_ids()) {
    const Rig& rig = *town.rig(id);
    if (untold(rig.breaker))
      return act(NotifyMayor{
          id, "runs in " + rig.name + " failed one after another; its work waits, one probe every 5 minutes"});
  }
  return not_concerned();
}

constexpr Rule kIssueRules[] = {
    {"beads.stale_assignee", Stage::issues, kActs | kHolds, stale_assignee,
     "an open issue is freed from an assignee who does not hold it"},
    {"beads.lost_agent", Stage::issues, kActs | kWaits | kHolds, lost_agent,
     "an issue in progress whose agent is gone is given back, or failed when its attempts are spent"},
    {"beads.orphaned_review", Stage::issues, kActs | kWaits | kHolds, orphaned_review,
     "an issue in review without a live request is closed if merged, else given back"},
    {"beads.moot", Stage::issues, kActs, moot, "rework for a request that has ended is closed"},
    {"beads.redispatch", Stage::hooked_agents, kActs | kWaits | kHolds, redispatch,
     "an idle agent that holds an open bead is sent to it again"},
    {"beads.assign", Stage::work_queue, kActs | kWaits | kHolds, assign,
     "the first ready issue that may be dispatched gets an agent"},
    {"beads.breaker", Stage::town, kActs, breaker, "the mayor is told of a breaker that opened, once"},
};

}  // namespace

std::span<const Rule> bead_rules() { return kIssueRules; }

}  // namespace townd
