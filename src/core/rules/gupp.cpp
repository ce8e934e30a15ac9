#include "core/rules/common.hpp"

/// G: an agent with work on its hook must be seen to move. Three tiers of push.
namespace townd {
namespace {

using namespace actions;

/// Since when a working agent has shown no progress; nothing when the rules of this file do not concern it.
MaybeInstant quiet_since(const Town& town, const Agent* agent, Instant now) {
  if (!agent || agent->role == AgentRole::mayor || agent->status != AgentStatus::working) return std::nullopt;
  const Run* run = run_of(town, *agent);
  MaybeInstant t = later(agent->last_event_at, run ? MaybeInstant(run->requested_at) : std::nullopt);
  if (!t) t = agent->last_activity_at;
  return t ? heard_since(town, t, now) : std::nullopt;
}

std::int64_t patience_factor(const Town& town, const Agent& agent) {
  return agent.active_tools.empty() ? 1 : town.constants().gupp_active_tools_factor;
}

Wait drained(const Town& town) { return {*town.row().draining_since + town.constants().drain, Reason::draining}; }

Decision force_stop(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  const MaybeInstant since = quiet_since(town, agent, now);
  if (!since) return not_concerned();
  if (draining(town, now)) return drained(town);
  const Run* run = run_of(town, *agent);
  if (run && (run->forced_stop || run->stop_requested_at)) return Hold{Reason::stop_under_way};
  const Duration limit = town.constants().gupp_force_stop * patience_factor(town, *agent);
  if (!stale(since, limit, now)) return Wait{stale_at(*since, limit), Reason::heard_recently};
  const RunId run_id = run && run->state != RunState::ended ? run->run_id : RunId{};
  return act(
      TransitionAgent{agent->agent_id, agent->status, AgentStatus::stalled, "no progress for 2 hours"},
      StopAgent{agent->agent_id, run_id, Outcome::timed_out, false, "no progress"},
      CreateTriageRequest{agent->agent_id, "stuck_agent", agent->current_hook_bead_id, RunId{}, "GUPP force stop"});
}

/// One nudge of a tier, not again within the hour.
Decision nudge(const Town& town, const Agent& agent, Instant now, std::string_view tier, Act push) {
  const MaybeInstant last = town.last_nudged(agent.agent_id, "reconciler:" + std::string(tier));
  if (!last || stale(last, town.constants().gupp_repeat, now)) return push;
  return Wait{stale_at(*last, town.constants().gupp_repeat), Reason::recently_nudged};
}

Decision escalate(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  const MaybeInstant since = quiet_since(town, agent, now);
  if (!since) return not_concerned();
  if (draining(town, now)) return drained(town);
  const Duration limit = town.constants().gupp_escalate * patience_factor(town, *agent);
  if (!stale(since, limit, now)) return Wait{stale_at(*since, limit), Reason::heard_recently};
  return nudge(town, *agent, now, "escalate",
               act(SendNudge{agent->agent_id, "escalate",
                             "You have shown no progress for an hour. Say what you are doing, or hand the work in."},
                   CreateTriageRequest{agent->agent_id, "stuck_agent", agent->current_hook_bead_id, agent->run_id,
                                       "GUPP escalation"}));
}

Decision warn(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  const MaybeInstant since = quiet_since(town, agent, now);
  if (!since) return not_concerned();
  if (draining(town, now)) return drained(town);
  if (!agent->active_tools.empty()) return Hold{Reason::tools_active};
  if (!stale(since, town.constants().gupp_warn, now))
    return Wait{stale_at(*since, town.constants().gupp_warn), Reason::heard_recently};
  if (stale(since, town.constants().gupp_escalate, now)) return not_concerned();  // the next tier's
  return nudge(town, *agent, now, "warn",
               act(SendNudge{agent->agent_id, "warn",
                             "You have shown no progress for 15 minutes. Go on with the work on your hook."}));
}

constexpr Rule kRules[] = {
    {"gupp.force_stop", Stage::gupp, kActs | kWaits | kHolds, force_stop,
     "no progress for 2 hours: stalled, stopped, a question to triage"},
    {"gupp.escalate", Stage::gupp, kActs | kWaits, escalate,
     "no progress for an hour: an urgent nudge and a question to triage"},
    {"gupp.warn", Stage::gupp, kActs | kWaits | kHolds, warn, "no progress for 15 minutes: a nudge"},
};

}  // namespace

std::span<const Rule> gupp_rules() { return kRules; }

}  // namespace townd
