#pragma once

#include "codec/fields.hpp"
#include "core/rows.hpp"

/// The names of the rows' members and enumerators, for JSON. A test counts the members of every struct, so that one
/// which is missing here is found.
namespace townd {

BOOST_DESCRIBE_ENUM(BeadType, issue, merge_request, convoy, escalation, message, molecule)
BOOST_DESCRIBE_ENUM(BeadStatus, open, in_progress, in_review, closed, failed)
BOOST_DESCRIBE_ENUM(Priority, low, medium, high, critical)
BOOST_DESCRIBE_ENUM(AgentRole, polecat, refinery, mayor)
BOOST_DESCRIBE_ENUM(AgentStatus, idle, working, waiting, stalled, dead)
BOOST_DESCRIBE_ENUM(RunKind, work, review, triage, mayor)
BOOST_DESCRIBE_ENUM(RunState, requested, starting, running, ended)
BOOST_DESCRIBE_ENUM(Outcome, done, changes_requested, no_done, task_failed, crashed, timed_out, lost, never_started,
                    refused, stopped, evicted, not_logged_in, rate_limited)
BOOST_DESCRIBE_ENUM(Strategy, direct, pr)
BOOST_DESCRIBE_ENUM(Verdict, none, approved, changes)
BOOST_DESCRIBE_ENUM(ReviewResult, none, merged, failed, conflict, superseded, cancelled, rounds_exhausted)
BOOST_DESCRIBE_ENUM(MergeMode, review_then_land, review_and_merge)
BOOST_DESCRIBE_ENUM(OnFailedChild, go_on, hold, fail)
BOOST_DESCRIBE_ENUM(DependencyKind, blocks, tracks)
BOOST_DESCRIBE_ENUM(NudgeMode, immediate, wait_idle, queue)

BOOST_DESCRIBE_STRUCT(Rework, (),
                      (request, source, branch, target_branch, pr_url, files, has_conflicts, has_feedback,
                       conflict_target_branch, threads))
BOOST_DESCRIBE_STRUCT(TriageRequest, (),
                      (triage_type, agent, bead, run, reason, options, resolution_action, resolution_notes,
                       resolved_by))
BOOST_DESCRIBE_STRUCT(Escalation, (),
                      (severity, category, message, source, agent, convoy, conflict, acknowledged, acknowledged_at,
                       re_escalation_count))

BOOST_DESCRIBE_STRUCT(Bead, (),
                      (bead_id, type, status, status_since, title, body, rig_id, parent_bead_id, assignee_agent_bead_id,
                       priority, labels, metadata, dispatch_attempts, last_dispatch_attempt_at, attempts_cap,
                       review_rounds, ready_since, last_unhook_at, created_by, created_at, updated_at, closed_at,
                       detail))
BOOST_DESCRIBE_STRUCT(Agent, (),
                      (agent_id, role, rig_id, name, identity, status, status_since, current_hook_bead_id, run_id,
                       dispatch_attempts, last_dispatch_attempt_at, last_activity_at, last_event_type, last_event_at,
                       active_tools, stalled_at, checkpoint, status_message, status_message_at, created_at))
BOOST_DESCRIBE_STRUCT(Run, (),
                      (run_id, agent_id, bead_id, rig_id, kind, state, requested_at, last_sign_at, outcome, outcome_at,
                       ended_at, exit_reason, preset, tokens, cost_micro_usd, stop_requested_at, stop_rule,
                       stop_outcome, tombstone, requested_changes, probe, forced_stop, branch, commit))
BOOST_DESCRIBE_STRUCT(Review, (),
                      (bead_id, branch, target_branch, commit, source_bead_id, source_agent_id, source_run_id, pr_url,
                       strategy, verdict, result, base_commit, claimed_commit, merge_commit, evidence, trial_run_id,
                       held_why, verifying_since, last_verify_at, verify_tries, batch_head, pr_changed_at, last_poll_at,
                       last_poll_answer_at, poll_transient_count, poll_non_transient_count, poll_error_kind,
                       checks_pending, pr_head, review_decision, merge_state_status, awaiting_approval,
                       awaiting_approval_observed_at, has_conflicts, conflicts_detected_at, auto_merge_pending,
                       merge_requested_at, auto_merge_ready_since, told_waiting, failure_reason, failure_kind,
                       failure_message, retry_refused, held_alone, reviewed, published_commit, published_at,
                       publish_asked_at, publish_tries, answered, merge_refused, merge_refusals))
BOOST_DESCRIBE_STRUCT(LandingAttempts, (), (rig_id, attempts, last_attempt_at, suppressed_attempt))
BOOST_DESCRIBE_STRUCT(Convoy, (),
                      (bead_id, total_beads, closed_beads, feature_branch, merge_mode, staged, ready_to_land, landings,
                       landed_at, on_failed_child, failure_reason, failure_message))
BOOST_DESCRIBE_STRUCT(Dependency, (), (bead_id, depends_on_bead_id, kind))
BOOST_DESCRIBE_STRUCT(Nudge, (),
                      (nudge_id, agent_id, message, mode, urgent, source, created_at, expires_at, delivering_since,
                       delivered_at, expired))
BOOST_DESCRIBE_STRUCT(Mail, (),
                      (mail_id, from_agent_id, to_agent_id, rig_id, subject, body, created_at, delivering_since,
                       delivered_at, undeliverable))
BOOST_DESCRIBE_STRUCT(Breaker, (), (opened_at, closed_at, told, probe, last_probe_at, failures_in_a_row))
BOOST_DESCRIBE_STRUCT(RigConfig, (),
                      (gates, no_gates, setup, copy, target, push_remote, sandbox, polecat_preset, refinery_preset,
                       merge_strategy, convoy_merge_mode, max_polecats, max_dispatch_attempts, max_batch, code_review,
                       auto_resolve_pr_feedback, auto_resolve_merge_conflicts, has_auto_merge_delay,
                       auto_merge_delay_minutes, without_checks))
BOOST_DESCRIBE_STRUCT(GateRecord, (), (gate, reds, flakes))
BOOST_DESCRIBE_STRUCT(Suspects, (), (target_branch, gate, requests, some_left))
BOOST_DESCRIBE_STRUCT(TrialAhead, (), (head, of, on))
BOOST_DESCRIBE_STRUCT(MergeQueue, (),
                      (suspects, gates, tried, culprits, without_landing, blamed, trial_ms, paused_since, paused_reason,
                       escalation, ahead, sound_commit))
BOOST_DESCRIBE_STRUCT(Rig, (),
                      (rig_id, name, git_url, default_branch, broken_reason, broken_since, setup_failed,
                       untrusted_reason, config, breaker, queue, created_at, forge_rests_until, hook_heard_at))
BOOST_DESCRIBE_STRUCT(Constants, (),
                      (heartbeat, heartbeat_stale, never_started, not_found_grace, resync, lost_agent,
                       lost_agent_after_run, orphaned_source, abandoned_review, stuck_review, orphaned_pr, poll,
                       merge_retry, verify_retry, verify_tries, idle_run, stop_unconfirmed, gupp_warn, gupp_escalate,
                       gupp_force_stop, gupp_repeat, gupp_active_tools_factor, stalled_release, gc_agents, gc_beads,
                       max_dispatch_attempts, attempts_reset, backoff, breaker_town, breaker_rig, breaker_window,
                       breaker_probe, landing_attempts, landing_backoff, landing_backoff_max, drain, triage_cap,
                       triage_batch, triage_delay, triage_backoff_max, triage_failures, escalation_step, escalation_max,
                       review_rounds, rate_limited, late_done, rig_check, poll_transient_limit, poll_malformed_limit,
                       ageing, delivery_timeout))
BOOST_DESCRIBE_STRUCT(TownConfig, (),
                      (version, constants, merge_strategy, staged_convoys_default, convoy_merge_mode, code_review,
                       auto_merge, auto_resolve_pr_feedback, auto_resolve_merge_conflicts, auto_merge_delay_minutes,
                       max_polecats, runs_per_day, micro_usd_per_day, polecat_preset, refinery_preset, mayor_preset))
BOOST_DESCRIBE_STRUCT(PresetState, (), (preset, usable, reason, limited_until))
BOOST_DESCRIBE_STRUCT(NodeFacts, (), (slots, disk_low, runtime_reachable, runtime_since, presets))
BOOST_DESCRIBE_STRUCT(TownRow, (),
                      (town_id, name, prefix, next_id, next_effect, draining_since, paused, paused_reason,
                       observed_since, breaker, node, triage_failures, triage_failed_at, triage_escalated,
                       polecats_named, runs_escalation, usd_escalation, config))

template <>
inline constexpr bool kDashed<MergeMode> = true;
template <>
inline constexpr bool kDashed<NudgeMode> = true;

template <>
constexpr std::string_view wire_name<Dependency>(std::string_view member) {
  return member == "kind" ? "dependency_type" : member;
}

/// `{"rework": {…}}`, `{"triage_request": {…}}` or `{"escalation": {…}}`.
template <>
struct JsonForm<std::shared_ptr<const BeadDetail>> {
  static json::value write(const JsonWriter& writer, const std::shared_ptr<const BeadDetail>& detail);
  static bool read(JsonReader& reader, const json::value& v, std::shared_ptr<const BeadDetail>& out);
};

/// The reference's shape: what concerns reviews under `refinery`; the constants under `reconciler`.
template <>
struct JsonForm<TownConfig> {
  static json::value write(const JsonWriter& writer, const TownConfig& config);
  static bool read(JsonReader& reader, const json::value& v, TownConfig& out);
};

/// An `auto_merge_delay_minutes` that is there and null is an explicit "never".
template <>
struct JsonForm<RigConfig> {
  static json::value write(const JsonWriter& writer, const RigConfig& config);
  static bool read(JsonReader& reader, const json::value& v, RigConfig& out);
};

}  // namespace townd
