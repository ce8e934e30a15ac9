#pragma once

#include <algorithm>
#include <utility>

#include "core/rule.hpp"

/// What the rule files share.
namespace townd {

/// The preset that an agent of this role runs with in this rig.
std::string preset_of(const Town& town, const Rig& rig, AgentRole role);
/// The preset that works on this bead: what a coding agent has reviewed is tried by `refine`.
std::string preset_for(const Town& town, const Rig& rig, const Bead& bead);
/// What is known of a preset on this node; null when nothing is.
const PresetState* preset_state(const Town& town, std::string_view preset);

/// A shut gate as an answer.
Decision as_decision(const Gate& gate);

template <class... Bodies>
Act act(Bodies&&... bodies) {
  Act decision;
  (decision.actions.emplace_back(std::forward<Bodies>(bodies)), ...);
  return decision;
}

/// The rule does not concern the subject.
inline Decision not_concerned() { return Hold{}; }

/// Acts when `t` (as far as we listened) is older than `d`; until then waits for it.
inline Decision when_stale(const Town& town, MaybeInstant t, Duration d, Instant now, Reason meanwhile, Act then) {
  const MaybeInstant since = heard_since(town, t, now);
  if (stale(since, d, now)) return then;
  return Wait{stale_at(*since, d), meanwhile};
}

inline const Bead* bead_of(const Town& town, const SubjectKey& key) { return town.bead(BeadId(key.text)); }
inline const Agent* agent_of(const Town& town, const SubjectKey& key) { return town.agent(AgentId(key.text)); }
inline bool at_work(const Agent& agent) {
  return agent.status == AgentStatus::working || agent.status == AgentStatus::stalled;
}
inline const Run* run_of(const Town& town, const Agent& agent) {
  return agent.run_id ? town.run(agent.run_id) : nullptr;
}
inline MaybeInstant later(MaybeInstant a, MaybeInstant b) { return a && b ? std::max(*a, *b) : (a ? a : b); }

/// What the forge said of the pull request of work that was handed in, when that is what the work waits for; else null.
const Review* forge_refusal(const Town& town, const BeadId& source);

// The tables of the rule files, in the order of domain.md §4.
std::span<const Rule> agent_rules();
std::span<const Rule> bead_rules();
std::span<const Rule> molecule_rules();
std::span<const Rule> budget_rules();
std::span<const Rule> review_rules();
std::span<const Rule> queue_rules();
std::span<const Rule> convoy_rules();
std::span<const Rule> gupp_rules();
std::span<const Rule> gc_rules();
std::span<const Rule> message_rules();

}  // namespace townd
