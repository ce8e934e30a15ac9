#include "core/apply_event.hpp"

#include <algorithm>

namespace townd {

std::string_view event_type(const EventBody& body) {
  constexpr std::string_view names[] = {"agent_done",
                                        "agent_completed",
                                        "agent_waiting",
                                        "agent_checkpoint",
                                        "agent_said",
                                        "request_changes",
                                        "escalation_raised",
                                        "bead_created",
                                        "bead_updated",
                                        "bead_status_set",
                                        "bead_cancelled",
                                        "bead_reopened",
                                        "bead_retried",
                                        "dependency_added",
                                        "dependency_removed",
                                        "convoy_created",
                                        "convoy_started",
                                        "convoy_closed",
                                        "convoy_bead_added",
                                        "convoy_bead_removed",
                                        "agent_reset",
                                        "review_completed",
                                        "mail_sent",
                                        "mail_read",
                                        "nudge_queued",
                                        "nudge_timeout",
                                        "escalation_acknowledged",
                                        "triage_resolved",
                                        "rig_added",
                                        "rig_changed",
                                        "rig_checked",
                                        "rig_trust",
                                        "config_changed",
                                        "drain_started",
                                        "drain_ended",
                                        "town_paused",
                                        "town_resumed",
                                        "container_eviction",
                                        "container_status",
                                        "dispatch_accepted",
                                        "dispatch_refused",
                                        "agent_stopped",
                                        "pr_polled",
                                        "pr_status_changed",
                                        "pr_feedback_detected",
                                        "pr_conflict_detected",
                                        "pr_auto_merge",
                                        "pr_merge_result",
                                        "trial_result",
                                        "git_merge_result",
                                        "node_changed",
                                        "nudge_delivered",
                                        "mail_delivered",
                                        "observation_gap",
                                        "agent_registered",
                                        "agent_deleted",
                                        "agent_hooked",
                                        "agent_unhooked",
                                        "bead_deleted",
                                        "molecule_created",
                                        "molecule_advanced",
                                        "convoy_updated",
                                        "queue_resumed",
                                        "branch_adopted",
                                        "event_retried",
                                        "pr_published",
                                        "pr_noticed"};
  static_assert(std::size(names) == std::variant_size_v<EventBody>);
  return names[body.index()];
}

std::string_view action_type(const ActionBody& body) {
  constexpr std::string_view names[] = {"transition_bead",
                                        "clear_bead_assignee",
                                        "create_mr_bead",
                                        "create_landing_mr",
                                        "transition_agent",
                                        "hook_agent",
                                        "unhook_agent",
                                        "clear_agent_checkpoint",
                                        "reset_agent_dispatch_attempts",
                                        "delete_agent",
                                        "archive_bead",
                                        "update_convoy_progress",
                                        "set_convoy_ready_to_land",
                                        "close_convoy",
                                        "fail_convoy",
                                        "dispatch_agent",
                                        "stop_agent",
                                        "poll_pr",
                                        "merge_pr",
                                        "verify_merge",
                                        "send_nudge",
                                        "deliver_nudge",
                                        "deliver_mail",
                                        "expire_nudge",
                                        "create_triage_request",
                                        "create_triage_batch",
                                        "raise_escalation",
                                        "notify_mayor",
                                        "emit_event",
                                        "forget_budget_breach",
                                        "publish_pr"};
  static_assert(std::size(names) == std::variant_size_v<ActionBody>);
  return names[body.index()];
}

std::string_view effect_kind(const EffectBody& body) {
  constexpr std::string_view names[] = {
      "start_agent",  "stop_agent",  "land",        "poll_pr",        "merge_pr", "close_pr_comment", "deliver_nudge",
      "deliver_mail", "collect_run", "prepare_rig", "prepare_convoy", "alert",    "publish_pr"};
  static_assert(std::size(names) == std::variant_size_v<EffectBody>);
  return names[body.index()];
}

const Review* apply::live_review(Change& change, const BeadId& id) {
  if (live(change.town().bead(id))) return change.town().review(id);
  change.note("no live request");
  return nullptr;
}

expected<void> apply_event(Town& town, const Event& event, Instant now, Outbox& out) {
  Change change(town, now, out, event_type(event.body));
  return std::visit([&change](const auto& body) { return apply::on(change, body); }, event.body);
}

void apply_sign_of_life(Town& town, const SignOfLife& sign, Outbox& out) {
  const Agent* found = town.agent(sign.agent_id);
  if (!found) return;
  const bool current = sign.run_id.empty() || sign.run_id == found->run_id;
  if (!current) return;  // of an earlier run
  const Run* run = found->run_id ? town.run(found->run_id) : nullptr;
  const bool over = run && (run->outcome || run->state == RunState::ended || run->stop_requested_at);
  Agent agent = *found;
  agent.last_activity_at = std::max(sign.at, agent.last_activity_at.value_or(sign.at));
  if (!sign.last_event_type.empty()) agent.last_event_type = sign.last_event_type;
  if (sign.last_event_at)
    agent.last_event_at = std::max(*sign.last_event_at, agent.last_event_at.value_or(*sign.last_event_at));
  if (sign.active_tools) agent.active_tools = *sign.active_tools;
  agent.dispatch_attempts = 0;
  const bool wakes = !over && agent.status == AgentStatus::idle && !agent.current_hook_bead_id.empty();
  const BeadId hook = agent.current_hook_bead_id;
  town.put(std::move(agent));

  Change change(town, sign.at, out, "heartbeat");
  if (run && run->state != RunState::ended) {
    Run seen = *run;
    seen.last_sign_at = std::max(sign.at, run->last_sign_at.value_or(sign.at));
    seen.tokens = std::max(run->tokens, sign.tokens);
    seen.cost_micro_usd = std::max(run->cost_micro_usd, sign.cost_micro_usd);
    if (seen.state != RunState::running) seen.state = RunState::running;
    town.put(std::move(seen));
  }
  if (!wakes) return;
  const Bead* bead = town.bead(hook);
  if (bead && terminal(bead->status)) return;
  change.set_status(sign.agent_id, AgentStatus::working);
  if (bead && bead->status == BeadStatus::open && bead->type == BeadType::issue)
    change.set_status(hook, BeadStatus::in_progress);
}

}  // namespace townd
