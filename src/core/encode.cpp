#include "core/encode.hpp"

#include <concepts>
#include <type_traits>

namespace townd {
namespace {

/// Appends values one after another.
class Encoder {
 public:
  explicit Encoder(char kind) {
    bytes_.reserve(384);
    bytes_.push_back(kind);
  }

  template <class... Values>
  std::string of(const Values&... values) && {
    (add(values), ...);
    return std::move(bytes_);
  }

 private:
  void add_number(std::uint64_t value) {  // LEB128
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  template <class T>
  requires std::integral<T> || std::is_enum_v<T>
  void add(const T& value) {
    const auto wide = static_cast<std::int64_t>(value);
    add_number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));  // zigzag
  }
  void add(const std::string& text) {
    add_number(text.size());
    bytes_ += text;
  }
  template <class Tag>
  void add(const Id<Tag>& id) {
    add(id.text);
  }
  void add(const Instant& t) { add(t.ms); }
  void add(const Duration& d) { add(d.ms); }
  void add(const Hash128& h) {
    for (int i = 0; i < 64; i += 8) bytes_.push_back(static_cast<char>(h.high >> i));
    for (int i = 0; i < 64; i += 8) bytes_.push_back(static_cast<char>(h.low >> i));
  }
  void add(const TextRef& text) {
    add(!text.empty());
    if (!text.empty()) add(text.hash);
  }
  template <class T>
  void add(const std::optional<T>& value) {
    bytes_.push_back(value ? '\1' : '\0');
    if (value) add(*value);
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add_number(values.size());
    for (const T& value : values) add(value);
  }
  void add(const LandingAttempts& v) {
    add(v.rig_id), add(v.attempts), add(v.last_attempt_at), add(v.suppressed_attempt);
  }
  void add(const Breaker& v) {
    add(v.opened_at), add(v.closed_at), add(v.told), add(v.probe), add(v.last_probe_at), add(v.failures_in_a_row);
  }
  void add(const PresetState& v) { add(v.preset), add(v.usable), add(v.reason), add(v.limited_until); }
  void add(const NodeFacts& v) {
    add(v.slots), add(v.disk_low), add(v.runtime_reachable), add(v.runtime_since), add(v.presets);
  }
  void add(const GateRecord& v) { add(v.gate), add(v.reds), add(v.flakes); }
  void add(const Suspects& v) { add(v.target_branch), add(v.gate), add(v.requests), add(v.some_left); }
  void add(const MergeQueue& v) {
    add(v.suspects), add(v.gates), add(v.tried), add(v.culprits), add(v.without_landing), add(v.blamed);
    add(v.trial_ms), add(v.paused_since), add(v.paused_reason), add(v.escalation);
  }
  void add(const TrialAhead& v) { add(v.head), add(v.of), add(v.on); }
  void add(const RigConfig& v) {
    add(v.gates), add(v.no_gates), add(v.setup), add(v.copy), add(v.target), add(v.push_remote), add(v.sandbox);
    add(v.polecat_preset), add(v.refinery_preset), add(v.merge_strategy), add(v.convoy_merge_mode);
    add(v.max_polecats), add(v.max_dispatch_attempts), add(v.code_review), add(v.auto_resolve_pr_feedback);
    add(v.auto_resolve_merge_conflicts), add(v.has_auto_merge_delay), add(v.auto_merge_delay_minutes);
  }
  void add(const Constants& v) {
    add(v.heartbeat), add(v.heartbeat_stale), add(v.never_started), add(v.not_found_grace), add(v.resync);
    add(v.lost_agent), add(v.lost_agent_after_run), add(v.orphaned_source), add(v.abandoned_review);
    add(v.stuck_review), add(v.orphaned_pr), add(v.poll), add(v.merge_retry), add(v.verify_retry);
    add(v.verify_tries), add(v.idle_run), add(v.stop_unconfirmed), add(v.gupp_warn), add(v.gupp_escalate);
    add(v.gupp_force_stop), add(v.gupp_repeat), add(v.gupp_active_tools_factor), add(v.stalled_release);
    add(v.gc_agents), add(v.gc_beads), add(v.max_dispatch_attempts), add(v.attempts_reset), add(v.backoff);
    add(v.breaker_town), add(v.breaker_rig), add(v.breaker_window), add(v.breaker_probe), add(v.landing_attempts);
    add(v.landing_backoff), add(v.landing_backoff_max), add(v.drain), add(v.triage_cap), add(v.triage_batch);
    add(v.triage_delay), add(v.triage_backoff_max), add(v.triage_failures), add(v.escalation_step);
    add(v.escalation_max), add(v.review_rounds), add(v.rate_limited), add(v.late_done), add(v.rig_check);
    add(v.poll_transient_limit), add(v.poll_malformed_limit), add(v.ageing), add(v.delivery_timeout);
  }
  void add(const TownConfig& v) {
    add(v.version), add(v.constants), add(v.merge_strategy), add(v.staged_convoys_default);
    add(v.convoy_merge_mode), add(v.code_review), add(v.auto_merge), add(v.auto_resolve_pr_feedback);
    add(v.auto_resolve_merge_conflicts), add(v.auto_merge_delay_minutes), add(v.max_polecats), add(v.runs_per_day);
    add(v.micro_usd_per_day), add(v.polecat_preset), add(v.refinery_preset), add(v.mayor_preset);
  }
  void add(const Rework& v) {
    add(v.request), add(v.source), add(v.branch), add(v.target_branch), add(v.pr_url), add(v.files);
    add(v.has_conflicts), add(v.has_feedback), add(v.conflict_target_branch);
    if (!v.threads.empty()) add(v.threads);  // later than the first that were written
  }
  void add(const TriageRequest& v) {
    add(v.triage_type), add(v.agent), add(v.bead), add(v.run), add(v.reason), add(v.options);
    add(v.resolution_action), add(v.resolution_notes), add(v.resolved_by);
  }
  void add(const Escalation& v) {
    add(v.severity), add(v.category), add(v.message), add(v.source), add(v.agent), add(v.convoy), add(v.conflict);
    add(v.acknowledged), add(v.acknowledged_at), add(v.re_escalation_count);
  }
  void add(const std::shared_ptr<const BeadDetail>& detail) {
    add(detail ? static_cast<int>(detail->index()) + 1 : 0);
    if (detail) std::visit([this](const auto& v) { add(v); }, *detail);
  }

  std::string bytes_;
};

}  // namespace

std::string encode(const TownRow& v) {
  return Encoder('T').of(v.town_id, v.name, v.prefix, v.next_id, v.draining_since, v.paused, v.paused_reason,
                         v.observed_since, v.breaker, v.node, v.triage_failures, v.triage_failed_at, v.triage_escalated,
                         v.polecats_named, v.next_effect, v.runs_escalation, v.usd_escalation);
}

std::string encode(const TownConfig& v) { return Encoder('c').of(v); }

std::string encode(const Rig& v) {
  std::string bytes = Encoder('R').of(v.rig_id, v.name, v.git_url, v.default_branch, v.broken_reason, v.broken_since,
                                      v.setup_failed, v.untrusted_reason, v.config, v.breaker, v.created_at);
  // Later than the first rigs that were written: one without them has the digest that it had.
  if (v.queue != MergeQueue{} || v.config.max_batch) bytes += Encoder('q').of(v.queue, v.config.max_batch);
  if (v.queue.ahead != TrialAhead{}) bytes += Encoder('h').of(v.queue.ahead);
  if (!v.queue.sound_commit.empty()) bytes += Encoder('s').of(v.queue.sound_commit);
  if (v.forge_rests_until || v.hook_heard_at || v.config.without_checks)
    bytes += Encoder('f').of(v.forge_rests_until, v.hook_heard_at, v.config.without_checks);
  return bytes;
}

std::string encode(const Bead& v) {
  return Encoder('B').of(v.bead_id, v.type, v.status, v.status_since, v.title, v.body, v.rig_id, v.parent_bead_id,
                         v.assignee_agent_bead_id, v.priority, v.labels, v.metadata, v.dispatch_attempts,
                         v.last_dispatch_attempt_at, v.attempts_cap, v.review_rounds, v.ready_since, v.last_unhook_at,
                         v.created_by, v.created_at, v.updated_at, v.closed_at, v.detail);
}

std::string encode(const Agent& v) {
  return Encoder('A').of(v.agent_id, v.role, v.rig_id, v.name, v.identity, v.status, v.status_since,
                         v.current_hook_bead_id, v.run_id, v.dispatch_attempts, v.last_dispatch_attempt_at,
                         v.last_activity_at, v.last_event_type, v.last_event_at, v.active_tools, v.stalled_at,
                         v.checkpoint, v.status_message, v.status_message_at, v.created_at);
}

std::string encode(const Run& v) {
  return Encoder('r').of(v.run_id, v.agent_id, v.bead_id, v.rig_id, v.kind, v.state, v.requested_at, v.last_sign_at,
                         v.outcome, v.outcome_at, v.ended_at, v.exit_reason, v.preset, v.tokens, v.cost_micro_usd,
                         v.stop_requested_at, v.stop_rule, v.stop_outcome, v.tombstone, v.requested_changes, v.probe,
                         v.forced_stop, v.branch, v.commit);
}

std::string encode(const Review& v) {
  std::string bytes = Encoder('V').of(
      v.bead_id, v.branch, v.target_branch, v.commit, v.source_bead_id, v.source_agent_id, v.source_run_id, v.pr_url,
      v.strategy, v.verdict, v.result, v.base_commit, v.claimed_commit, v.merge_commit, v.evidence, v.trial_run_id,
      v.held_why, v.verifying_since, v.last_verify_at, v.verify_tries, v.batch_head, v.pr_changed_at, v.last_poll_at,
      v.last_poll_answer_at, v.poll_transient_count, v.poll_non_transient_count, v.poll_error_kind, v.checks_pending,
      v.pr_head, v.review_decision, v.merge_state_status, v.awaiting_approval, v.awaiting_approval_observed_at,
      v.has_conflicts, v.conflicts_detected_at, v.auto_merge_pending, v.merge_requested_at, v.auto_merge_ready_since,
      v.told_waiting, v.failure_reason, v.failure_kind, v.failure_message, v.retry_refused, v.held_alone);
  if (v.reviewed) bytes += Encoder('v').of(v.reviewed);  // later than the first requests that were written
  if (!v.published_commit.empty() || v.published_at || v.publish_asked_at || v.publish_tries != 0 ||
      !v.answered.empty())
    bytes += Encoder('p').of(v.published_commit, v.published_at, v.publish_asked_at, v.publish_tries, v.answered);
  if (v.merge_refusals != 0) bytes += Encoder('m').of(v.merge_refused, v.merge_refusals);
  return bytes;
}

std::string encode(const Convoy& v) {
  return Encoder('C').of(v.bead_id, v.total_beads, v.closed_beads, v.feature_branch, v.merge_mode, v.staged,
                         v.ready_to_land, v.landings, v.landed_at, v.on_failed_child, v.failure_reason,
                         v.failure_message);
}

std::string encode(const Dependency& v) { return Encoder('D').of(v.bead_id, v.depends_on_bead_id, v.kind); }

std::string encode(const Nudge& v) {
  return Encoder('N').of(v.nudge_id, v.agent_id, v.message, v.mode, v.urgent, v.source, v.created_at, v.expires_at,
                         v.delivering_since, v.delivered_at, v.expired);
}

std::string encode(const Mail& v) {
  return Encoder('M').of(v.mail_id, v.from_agent_id, v.to_agent_id, v.rig_id, v.subject, v.body, v.created_at,
                         v.delivering_since, v.delivered_at, v.undeliverable);
}

std::string encode(const DeferredEvent& v) {
  return Encoder('E').of(v.event ? v.event->seq : 0, v.attempts, v.reason, v.retry_at);
}

}  // namespace townd
