#include "core/rules/common.hpp"

/// A: agents that never started, fell silent, hold nothing or hold on to what is over.
namespace townd {
namespace {

using namespace actions;

TransitionAgent to_idle(const Agent& agent, std::string reason) {
  return {agent.agent_id, agent.status, AgentStatus::idle, std::move(reason)};
}

/// While draining A1–A3 and A7 rest.
std::optional<Decision> resting(const Town& town, Instant now) {
  if (!draining(town, now)) return std::nullopt;
  return Wait{*town.row().draining_since + town.constants().drain, Reason::draining};
}

bool not_ended(const Run* run) { return run && run->state != RunState::ended; }

/// A stop has been asked for: wait for it, and give it up when the runtime answered for ten minutes without it.
Decision stop_under_way(const Town& town, const Agent& agent, const Run& run, Instant now) {
  if (!town.row().node.runtime_reachable) return Hold{Reason::runtime_unreachable};
  const MaybeInstant since = later(run.stop_requested_at, town.row().node.runtime_since);
  Act give_up = act(StopAgent{agent.agent_id, run.run_id, Outcome::lost, true, "stop not confirmed"});
  RaiseEscalation told;
  told.bead_id = run.bead_id;
  told.agent_id = agent.agent_id;
  told.category = "stop_unconfirmed";
  told.message = "run " + run.run_id.text + " of " + agent.name + " could not be stopped; look for its processes";
  give_up.actions.emplace_back(std::move(told));
  return when_stale(town, since, town.constants().stop_unconfirmed, now, Reason::stop_under_way, std::move(give_up));
}

Decision never_started(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  const Run* run = agent ? run_of(town, *agent) : nullptr;
  if (!run) return not_concerned();
  if (run->state == RunState::ended) {
    if (run->outcome != Outcome::never_started || agent->status == AgentStatus::stalled) return not_concerned();
    if (agent->role == AgentRole::mayor)
      return agent->status == AgentStatus::idle ? not_concerned() : act(to_idle(*agent, "never started"));
    if (agent->current_hook_bead_id != run->bead_id || agent->current_hook_bead_id.empty()) return not_concerned();
    Act release;
    if (agent->status != AgentStatus::idle) release.actions.emplace_back(to_idle(*agent, "never started"));
    release.actions.emplace_back(UnhookAgent{agent->agent_id, run->bead_id, "never started"});
    if (const Bead* bead = town.bead(run->bead_id); bead && bead->status == BeadStatus::in_progress)
      release.actions.emplace_back(TransitionBead{run->bead_id, bead->status, BeadStatus::open, "never started"});
    return release;
  }
  if (run->state == RunState::running || run->last_sign_at || run->outcome) return not_concerned();
  if (run->stop_requested_at) return stop_under_way(town, *agent, *run, now);
  const MaybeInstant since = heard_since(town, run->requested_at, now);
  if (!stale(since, town.constants().never_started, now))
    return Wait{stale_at(*since, town.constants().never_started), Reason::waiting_for_start};
  if (!town.row().node.runtime_reachable) return Hold{Reason::runtime_unreachable};
  return act(StopAgent{agent->agent_id, run->run_id, Outcome::never_started, false, "never started"});
}

Decision silent(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role == AgentRole::mayor || agent->status != AgentStatus::working) return not_concerned();
  if (run_of(town, *agent) || agent->last_activity_at) return not_concerned();
  if (auto rest = resting(town, now)) return *rest;
  if (const MaybeInstant since = heard_since(town, std::nullopt, now);
      since && !stale(since, town.constants().heartbeat_stale, now))
    return Wait{stale_at(*since, town.constants().heartbeat_stale), Reason::heard_recently};
  return act(to_idle(*agent, "no sign of life"));
}

Decision heartbeat_lost(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role == AgentRole::mayor || agent->status != AgentStatus::working) return not_concerned();
  const Run* run = run_of(town, *agent);
  if (run ? run->state != RunState::running : !agent->last_activity_at) return not_concerned();
  if (auto rest = resting(town, now)) return *rest;
  return when_stale(town, agent->last_activity_at, town.constants().heartbeat_stale, now, Reason::heard_recently,
                    act(to_idle(*agent, "heartbeat lost")));
}

Decision hookless(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role == AgentRole::mayor || agent->status != AgentStatus::working) return not_concerned();
  if (!agent->current_hook_bead_id.empty()) return not_concerned();
  if (auto rest = resting(town, now)) return *rest;
  return act(to_idle(*agent, "holds no bead"));
}

Decision stale_hook(const Town& town, const SubjectKey& key, Instant) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->status != AgentStatus::idle || agent->current_hook_bead_id.empty()) return not_concerned();
  const Bead* bead = town.bead(agent->current_hook_bead_id);
  if (bead && !terminal(bead->status)) return not_concerned();
  return act(
      UnhookAgent{agent->agent_id, agent->current_hook_bead_id, bead ? "its bead has ended" : "its bead is gone"},
      ClearAgentCheckpoint{agent->agent_id});
}

Decision dead_dispatch(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role != AgentRole::polecat || agent->status != AgentStatus::idle) return not_concerned();
  const Bead* bead = town.bead(agent->current_hook_bead_id);
  if (!bead || terminal(bead->status)) return not_concerned();
  const Run* run = run_of(town, *agent);
  const MaybeInstant since = heard_since(town, agent->last_activity_at, now);
  if (!stale(since, town.constants().heartbeat_stale, now))
    return Wait{stale_at(*since, town.constants().heartbeat_stale), Reason::heard_recently};
  if (not_ended(run)) {
    if (run->stop_requested_at) return stop_under_way(town, *agent, *run, now);
    return act(StopAgent{agent->agent_id, run->run_id, Outcome::lost, false, "silent and idle"});
  }
  Act release = act(UnhookAgent{agent->agent_id, bead->bead_id, "dead dispatch"});
  if (bead->status == BeadStatus::in_progress)
    release.actions.emplace_back(TransitionBead{bead->bead_id, bead->status, BeadStatus::open, "dead dispatch"});
  return release;
}

Decision attempts_reset(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->dispatch_attempts < town.constants().max_dispatch_attempts) return not_concerned();
  if (stale(agent->last_activity_at, town.constants().attempts_reset, now))
    return act(ResetAgentDispatchAttempts{agent->agent_id});
  return Wait{stale_at(*agent->last_activity_at, town.constants().attempts_reset), Reason::young};
}

Decision stalled_release(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->status != AgentStatus::stalled) return not_concerned();
  if (auto rest = resting(town, now)) return *rest;
  const Run* run = run_of(town, *agent);
  const bool ended = run && run->state == RunState::ended;
  Act release = act(to_idle(*agent, ended ? "stalled, and its run has ended" : "stalled for too long"));
  if (!agent->current_hook_bead_id.empty()) {
    release.actions.emplace_back(UnhookAgent{agent->agent_id, agent->current_hook_bead_id, "stalled"});
    const Bead* bead = town.bead(agent->current_hook_bead_id);
    if (ended && bead && bead->status == BeadStatus::in_progress)
      release.actions.emplace_back(TransitionBead{bead->bead_id, bead->status, BeadStatus::open, "its agent stalled"});
  }
  if (ended) return release;
  return when_stale(town, agent->stalled_at, town.constants().stalled_release, now, Reason::young, std::move(release));
}

/// The work of a run is over, but its process is not.
Decision idle_run(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  const Run* run = agent ? run_of(town, *agent) : nullptr;
  if (!not_ended(run)) return not_concerned();
  Reason meanwhile = Reason::none;
  Instant due = now;
  bool over = false;
  if (agent->role != AgentRole::mayor) {
    const Bead* bead = town.bead(run->bead_id);
    over = !bead || terminal(bead->status) || (agent->current_hook_bead_id != run->bead_id && !run->outcome);
  }
  if (!over && run->outcome) {
    due = *run->outcome_at + town.constants().idle_run;
    over = now >= due;
    meanwhile = Reason::young;
  }
  if (!over) return meanwhile == Reason::none ? not_concerned() : Decision(Wait{due, meanwhile});
  Act stop;
  if (!run->stop_requested_at)
    stop.actions.emplace_back(StopAgent{agent->agent_id, run->run_id, Outcome::stopped, false, "its work is over"});
  if (!agent->current_hook_bead_id.empty())
    stop.actions.emplace_back(UnhookAgent{agent->agent_id, agent->current_hook_bead_id, "its work is over"});
  if (agent->status != AgentStatus::idle && agent->status != AgentStatus::dead)
    stop.actions.emplace_back(to_idle(*agent, "its work is over"));
  if (stop.actions.empty()) return stop_under_way(town, *agent, *run, now);
  return stop;
}

constexpr Rule kRules[] = {
    {"agents.never_started", Stage::agents, kActs | kWaits | kHolds, never_started,
     "a run without a sign of life for 3 minutes is stopped and its bead given back"},
    {"agents.silent", Stage::agents, kActs | kWaits, silent, "a working agent that was never heard of becomes idle"},
    {"agents.heartbeat_lost", Stage::agents, kActs | kWaits, heartbeat_lost,
     "a working agent whose heartbeat is older than 90 s becomes idle and keeps its hook"},
    {"agents.hookless", Stage::agents, kActs | kWaits, hookless, "a working agent that holds no bead becomes idle"},
    {"agents.stale_hook", Stage::agents, kActs, stale_hook, "an idle agent lets go of a bead that has ended"},
    {"agents.dead_dispatch", Stage::agents, kActs | kWaits | kHolds, dead_dispatch,
     "an idle, silent polecat with a live bead is stopped and gives the bead back"},
    {"agents.attempts_reset", Stage::agents, kActs | kWaits, attempts_reset,
     "an agent with 5 attempts that has been quiet for 30 minutes starts counting anew"},
    {"agents.stalled_release", Stage::agents, kActs | kWaits, stalled_release,
     "a stalled agent is released when its run has ended, or after 2 h 30"},
    {"agents.idle_run", Stage::agents, kActs | kWaits | kHolds, idle_run,
     "a process whose work is over is stopped, once"},
};

}  // namespace

std::span<const Rule> agent_rules() { return kRules; }

}  // namespace townd
