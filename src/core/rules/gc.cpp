#include "core/rules/common.hpp"

/// D: agents that nobody has used for a day, beads that have been over for two weeks.
namespace townd {
namespace {

using namespace actions;

Decision collect_agent(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role == AgentRole::mayor || !agent->current_hook_bead_id.empty()) return not_concerned();
  if (agent->status != AgentStatus::idle && agent->status != AgentStatus::dead) return not_concerned();
  if (run_live(town, *agent)) return Hold{Reason::run_live};
  const Instant since = agent->last_activity_at.value_or(agent->created_at);
  if (stale(since, town.constants().gc_agents, now)) return act(DeleteAgent{agent->agent_id, "unused for a day"});
  return Wait{stale_at(since, town.constants().gc_agents), Reason::young};
}

bool live(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead && !terminal(bead->status);
}

bool any_live(const Town& town, const std::vector<BeadId>& ids) {
  return std::any_of(ids.begin(), ids.end(), [&town](const BeadId& id) { return live(town, id); });
}

/// Something that is not over names this bead, so it has to stay.
bool referred_to(const Town& town, const Bead& bead) {
  const BeadLinks& around = town.links(bead.bead_id);
  if (!around.hooked.empty() || live(town, bead.parent_bead_id)) return true;
  for (const auto* names : {&around.blocked, &around.tracked_by, &around.tracks, &around.requests, &around.children,
                            &around.members, &around.triage})
    if (any_live(town, *names)) return true;
  const Review* review = town.review(bead.bead_id);
  if (review && live(town, review->source_bead_id)) return true;
  return std::any_of(around.runs.begin(), around.runs.end(),
                     [&town](const RunId& id) { return town.run(id)->state != RunState::ended; });
}

Decision archive(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = bead_of(town, key);
  if (!bead || !terminal(bead->status)) return not_concerned();
  if (referred_to(town, *bead)) return Hold{Reason::referred_to};
  if (stale(bead->status_since, town.constants().gc_beads, now)) return act(ArchiveBead{bead->bead_id});
  return Wait{stale_at(bead->status_since, town.constants().gc_beads), Reason::young};
}

constexpr Rule kRules[] = {
    {"gc.agents", Stage::gc_agents, kActs | kWaits | kHolds, collect_agent, "an agent unused for 24 hours is deleted"},
    {"gc.beads", Stage::gc_beads, kActs | kWaits | kHolds, archive,
     "a bead that ended 14 days ago and that nothing live names leaves the value"},
};

}  // namespace

std::span<const Rule> gc_rules() { return kRules; }

}  // namespace townd
