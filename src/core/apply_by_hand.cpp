#include <algorithm>

#include "core/apply_event.hpp"

/// What people arrange by hand that the rules otherwise see to: who there is, who works on what, what is there at all.
namespace townd {

std::vector<BeadId> with_all_below(const Town& town, const BeadId& id) {
  std::vector<BeadId> found{id};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const BeadLinks& around = town.links(found[i]);
    for (const auto* below : {&around.children, &around.requests})
      for (const BeadId& bead : *below)
        if (std::find(found.begin(), found.end(), bead) == found.end()) found.push_back(bead);
  }
  return found;
}

namespace apply {
namespace {

/// One that is there already and fits; empty when there is none.
AgentId fitting(const Town& town, const events::AgentRegistered& e) {
  const auto first = [](const std::set<AgentId>& agents) { return agents.empty() ? AgentId{} : *agents.begin(); };
  switch (e.role) {
    case AgentRole::mayor: return first(town.mayors());
    case AgentRole::refinery: return first(town.index(e.rig_id).refineries);
    case AgentRole::polecat: return first(town.index(e.rig_id).free_polecats);
  }
  return {};
}

}  // namespace

Result on(Change& change, const events::AgentRegistered& e) {
  Town& town = change.town();
  if (const AgentId there = e.reuse ? fitting(town, e) : AgentId{}) {
    change.answer(there.text);
    return applied();
  }
  const AgentId id = change.create_agent(e.role, e.rig_id);
  Agent agent = *town.agent(id);
  if (!e.name.empty()) agent.name = e.name;
  if (!e.identity.empty()) agent.identity = e.identity;
  town.put(std::move(agent));
  change.answer(id.text);
  return applied();
}

Result on(Change& change, const events::AgentDeleted& e) {
  Town& town = change.town();
  if (!town.agent(e.agent_id)) return noted(change, "no such agent");
  for (const BeadId& id : std::set<BeadId>(town.assigned(e.agent_id))) {
    change.assign(id, AgentId{});
    if (town.bead(id)->status == BeadStatus::in_progress) change.set_status(id, BeadStatus::open);
  }
  change.remove(e.agent_id);
  return applied();
}

Result on(Change& change, const events::AgentHooked& e) {
  if (!change.town().agent(e.agent_id) || !change.town().bead(e.bead_id)) return noted(change, "agent or bead is gone");
  change.hook(e.agent_id, e.bead_id);
  return applied();
}

Result on(Change& change, const events::AgentUnhooked& e) {
  if (!change.town().agent(e.agent_id)) return noted(change, "no such agent");
  change.let_go(e.agent_id);
  return applied();
}

Result on(Change& change, const events::BeadDeleted& e) {
  Town& town = change.town();
  if (!town.bead(e.bead_id)) return noted(change, "no such bead");
  for (const BeadId& id : with_all_below(town, e.bead_id)) {
    for (const AgentId& agent : std::vector<AgentId>(town.links(id).hooked)) change.let_go(agent);
    const std::string was(to_string(town.bead(id)->status));
    if (town.review(id)) {
      change.back_to_queue(id);  // what is tried with it, or on top of it, is so no more
      change.forget_suspect(id);
    }
    change.history(id, "deleted", was, "");
    town.erase(id);
  }
  return applied();
}

Result on(Change& change, const events::ConvoyUpdated& e) {
  const Convoy* found = change.town().convoy(e.convoy_id);
  if (!found) return noted(change, "no such convoy");
  Convoy convoy = *found;
  convoy.merge_mode = e.merge_mode.value_or(convoy.merge_mode);
  convoy.feature_branch = e.feature_branch.value_or(convoy.feature_branch);
  if (convoy.merge_mode == found->merge_mode && convoy.feature_branch == found->feature_branch) return applied();
  const bool own_branch = convoy.merge_mode == MergeMode::review_then_land;
  if (!own_branch) convoy.ready_to_land = false;
  const std::string now = (own_branch ? "review-then-land " : "review-and-merge ") + convoy.feature_branch;
  change.town().put(std::move(convoy));
  change.history(e.convoy_id, "convoy_updated", "", now);
  if (own_branch) change.effect(effects::PrepareConvoy{e.convoy_id}, e.convoy_id.text);
  return applied();
}

Result on(Change& change, const events::EventRetried& e) {
  const auto& deferred = change.town().deferred();
  const auto found = deferred.find(e.event_seq);
  if (found == deferred.end()) return noted(change, "no such event waits");
  DeferredEvent again = found->second;
  again.retry_at = change.now();  // the same tick takes it up
  change.town().put(std::move(again));
  return applied();
}

}  // namespace apply
}  // namespace townd
