#include "core/merge_queue.hpp"
#include "core/rules/common.hpp"

/// Q5: the merge queue. What the rig's refinery tries next: the first request and those behind it that may be merged
/// and gated together with it, or, where some of them are known to break a gate, the first half of these.
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

/// Whether what is left is to merge and gate it, which needs no judgement.
bool tried_next(const Town& town, const Bead& bead) {
  const Rig* rig = town.rig(bead.rig_id);
  return rig && preset_for(town, *rig, bead) == "refine";
}

/// A request that waits to be merged into this target as work of its own; a convoy's landing is tried alone.
bool waits_for_trial(const Town& town, const BeadId& id, std::string_view target) {
  const Bead* bead = town.bead(id);
  const Review* review = town.review(id);
  if (!bead || !review || bead->status != BeadStatus::open || !review->pr_url.empty()) return false;
  if (!tried_next(town, *bead)) return false;
  const Bead* source = town.bead(review->source_bead_id);
  return review->target_branch == target && review->strategy == Strategy::direct &&
         (!source || source->type != BeadType::convoy);
}

bool may_be_tried(const Town& town, const BeadId& id, std::string_view target, Instant now) {
  return waits_for_trial(town, id, target) && may_dispatch(town, *town.bead(id), now).open();
}

/// Those of the target's suspects that can be tried now; none when nobody is suspected.
std::vector<BeadId> suspects_to_try(const Town& town, const Rig& rig, std::string_view target, Instant now) {
  std::vector<BeadId> found;
  const Suspects* suspects = suspects_of(rig.queue, target);
  if (!suspects) return found;
  std::copy_if(suspects->requests.begin(), suspects->requests.end(), std::back_inserter(found),
               [&](const BeadId& id) { return may_be_tried(town, id, target, now); });
  found.resize((found.size() + 1) / 2);
  return found;
}

/// Who goes with `head` into one trial, in the queue's order and without it.
std::vector<BeadId> companions(const Town& town, const Rig& rig, const BeadId& head, std::string_view target,
                               Instant now) {
  std::vector<BeadId> found;
  const auto most =
      static_cast<std::size_t>(std::min(batch_size(rig.queue), rig.config.max_batch.value_or(kBatchLimit)));
  for (const ReadyKey& key : town.index(rig.rig_id).queue) {
    if (found.size() + 1 >= most) break;
    if (key.bead_id != head && may_be_tried(town, key.bead_id, target, now)) found.push_back(key.bead_id);
  }
  return found;
}

/// Whether work that was handed in at about the same time has yet to be read: together they are one trial.
bool others_to_review(const Town& town, const Rig& rig, const Bead& bead, std::string_view target, Instant now) {
  std::size_t places = static_cast<std::size_t>(batch_size(rig.queue));
  for (const ReadyKey& key : town.index(rig.rig_id).queue) {
    if (places-- == 0) return false;
    const Bead& other = *town.bead(key.bead_id);
    const Review* review = town.review(other.bead_id);
    if (review && review->target_branch == target && !tried_next(town, other) &&
        other.ready_since <= bead.ready_since + kReviewedTogether && may_dispatch(town, other, now).open())
      return true;
  }
  return false;
}

/// The trial that is under way in the rig, if another can be made on top of what it will land: one at the gates, of
/// work for this target, that has no other on top of it, where gates take long and
/// the last trial has landed.
BeadId trial_to_build_on(const Town& town, const Rig& rig, std::string_view target) {
  const MergeQueue& queue = rig.queue;
  if (queue.trial_ms < kWorthTryingAhead.ms || queue.without_landing > 0 || queue.paused_since) return {};
  if (suspects_of(queue, target) || rig.config.max_batch == 1) return {};
  BeadId found;
  for (const BeadId& id : town.index(rig.rig_id).reviewing) {
    if (!occupies(town, id)) continue;
    const Review* review = town.review(id);
    if (!review) return {};
    const BeadId head = review->batch_head ? review->batch_head : id;
    if (found && head != found) return {};
    found = head;
  }
  const Review* review = town.review(found);
  if (!review || review->target_branch != target || review->verifying_since || review->strategy != Strategy::direct)
    return {};
  const Bead* source = town.bead(review->source_bead_id);
  const auto& hooked = town.links(found).hooked;
  const Agent* agent = hooked.empty() ? nullptr : town.agent(hooked.front());
  const Run* run = agent ? run_of(town, *agent) : nullptr;
  const bool at_gates =
      run && run->state == RunState::running && run->preset == "refine" && run->run_id != queue.ahead.on;
  return at_gates && source && source->type != BeadType::convoy ? found : BeadId{};
}

/// The subject is one request of the rig's queue; the tick walks the queue in its order.
Decision pop(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::merge_request || bead->status != BeadStatus::open) return not_concerned();
  const Review* review = town.review(bead->bead_id);
  if (!review) return not_concerned();
  if (!review->pr_url.empty() && !code_review(town, bead->rig_id)) return not_concerned();
  if (unpublished(*review)) return Hold{Reason::unpublished};
  if (bead->rig_id.empty()) return Hold{Reason::no_rig};
  const Rig* rig = town.rig(bead->rig_id);
  const auto& busy = town.index(bead->rig_id).reviewing;
  BeadId ahead_of;
  if (std::any_of(busy.begin(), busy.end(), [&](const BeadId& id) { return occupies(town, id); })) {
    if (rig && waits_for_trial(town, bead->bead_id, review->target_branch))
      ahead_of = trial_to_build_on(town, *rig, review->target_branch);
    if (!ahead_of) return Hold{Reason::queue_behind};
  }
  const Refinery refinery = refinery_of(town, bead->rig_id);
  if (refinery.exists && refinery.free.empty() && !ahead_of) return Hold{Reason::queue_behind};
  const Gate gate = may_dispatch(town, *bead, now);
  if (gate.reason == Reason::attempts_spent)
    return act(TransitionBead{bead->bead_id, bead->status, BeadStatus::failed, "attempts spent"});
  if (!gate.open()) return as_decision(gate);

  std::vector<BeadId> batch;
  if (tried_next(town, *bead)) {
    if (review->reviewed && others_to_review(town, *rig, *bead, review->target_branch, now))
      return Hold{Reason::reviews_first};
    const MaybeInstant until = paused_until(rig->queue);
    if (until && now < *until) return Wait{*until, Reason::queue_paused};
    const bool together = waits_for_trial(town, bead->bead_id, review->target_branch) && !gate.probe && !until;
    if (ahead_of && !together) return Hold{Reason::queue_behind};
    if (together) batch = suspects_to_try(town, *rig, review->target_branch, now);
    if (!batch.empty() && batch.front() != bead->bead_id) return Hold{Reason::suspects_first};
    if (!batch.empty())
      batch.erase(batch.begin());
    else if (together)
      batch = companions(town, *rig, bead->bead_id, review->target_branch, now);
  }
  Act start = act(TransitionBead{bead->bead_id, bead->status, BeadStatus::in_progress, "its turn in the merge queue"});
  for (const BeadId& member : batch)
    start.actions.emplace_back(
        TransitionBead{member, BeadStatus::open, BeadStatus::in_progress, "tried together with " + bead->bead_id.text});
  if (refinery.free) start.actions.emplace_back(HookAgent{refinery.free, bead->bead_id});
  start.actions.emplace_back(DispatchAgent{refinery.free, bead->bead_id, bead->rig_id, RunKind::review, gate.probe,
                                           std::move(batch), ahead_of});
  return start;
}

constexpr Rule kRules[] = {
    {"reviews.pop", Stage::merge_queue, kActs | kWaits | kHolds, pop,
     "the first requests of the merge queue go to the refinery when it is free, tried together where they can be"},
};

}  // namespace

std::span<const Rule> queue_rules() { return kRules; }

}  // namespace townd
