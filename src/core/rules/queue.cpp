#include "core/rules/common.hpp"

/// Q5: the merge queue. What the rig's refinery tries next; here a trial has one request.
namespace townd {
namespace {

using namespace actions;

/// A request that keeps the refinery busy: held by an agent, at its landing, or in a batch that is. One whose landing
/// is held for itself alone does not.
bool occupies(const Town& town, const BeadId& id) {
  const Review* review = town.review(id);
  if (!town.links(id).hooked.empty() || (review && review->verifying_since && !review->held_alone)) return true;
  if (!review || review->batch_head.empty()) return false;
  const Bead* head = town.bead(review->batch_head);
  return head && !terminal(head->status);
}

/// The refinery to send; none and `exists` false when the rig has to get its first.
struct Refinery {
  bool exists = false;
  AgentId free;
};

Refinery refinery_of(const Town& town, const RigId& rig) {
  Refinery found;
  for (const AgentId& id : town.index(rig).refineries) {
    const Agent& agent = *town.agent(id);
    if (agent.status == AgentStatus::dead) continue;
    found.exists = true;
    if (found.free.empty() && free_agent(town, agent)) found.free = id;
  }
  return found;
}

/// The subject is one request of the rig's queue; the tick walks the queue in its order.
Decision pop(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::merge_request || bead->status != BeadStatus::open) return not_concerned();
  const Review* review = town.review(bead->bead_id);
  if (!review) return not_concerned();
  if (!review->pr_url.empty() && !code_review(town, bead->rig_id)) return not_concerned();
  if (bead->rig_id.empty()) return Hold{Reason::no_rig};
  const auto& busy = town.index(bead->rig_id).reviewing;
  if (std::any_of(busy.begin(), busy.end(), [&](const BeadId& id) { return occupies(town, id); }))
    return Hold{Reason::queue_behind};
  const Refinery refinery = refinery_of(town, bead->rig_id);
  if (refinery.exists && refinery.free.empty()) return Hold{Reason::queue_behind};
  const Gate gate = may_dispatch(town, *bead, now);
  if (gate.reason == Reason::attempts_spent)
    return act(TransitionBead{bead->bead_id, bead->status, BeadStatus::failed, "attempts spent"});
  if (!gate.open()) return as_decision(gate);
  Act start = act(TransitionBead{bead->bead_id, bead->status, BeadStatus::in_progress, "its turn in the merge queue"});
  if (refinery.exists) start.actions.emplace_back(HookAgent{refinery.free, bead->bead_id});
  start.actions.emplace_back(DispatchAgent{refinery.free, bead->bead_id, bead->rig_id, RunKind::review, gate.probe});
  return start;
}

constexpr Rule kRules[] = {
    {"reviews.pop", Stage::merge_queue, kActs | kWaits | kHolds, pop,
     "the first request of the merge queue goes to the refinery when it is free"},
};

}  // namespace

std::span<const Rule> queue_rules() { return kRules; }

}  // namespace townd
