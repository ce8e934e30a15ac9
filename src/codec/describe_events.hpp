#pragma once

#include "codec/describe_rows.hpp"
#include "core/event.hpp"

/// The names of the events' members, for JSON.
namespace townd::events {

BOOST_DESCRIBE_ENUM(TrialOutcome, green, red, conflict, error, broken)
BOOST_DESCRIBE_ENUM(LandingAnswer, landed, moved, held, failed)

BOOST_DESCRIBE_STRUCT(AgentDone, (), (agent_id, run_id, branch, pr_url, summary, commit))
BOOST_DESCRIBE_STRUCT(AgentCompleted, (), (agent_id, run_id, status, reason, tokens, cost_micro_usd, limited_until))
BOOST_DESCRIBE_STRUCT(AgentWaiting, (), (agent_id, fired_at))
BOOST_DESCRIBE_STRUCT(AgentCheckpoint, (), (agent_id, data))
BOOST_DESCRIBE_STRUCT(AgentSaid, (), (agent_id, message))
BOOST_DESCRIBE_STRUCT(RequestChanges, (), (agent_id, run_id, bead_id, feedback, files))
BOOST_DESCRIBE_STRUCT(EscalationRaised, (), (agent_id, rig_id, severity, category, title, body))
BOOST_DESCRIBE_STRUCT(BeadCreated, (),
                      (bead_id, type, title, body, rig_id, priority, labels, metadata, parent_bead_id, convoy_id, after,
                       held, created_by))
BOOST_DESCRIBE_STRUCT(BranchAdopted, (), (bead_id, rig_id, branch, commit, title, body, priority, created_by, pr_url))
BOOST_DESCRIBE_STRUCT(BeadUpdated, (), (bead_id, title, body, priority, labels, metadata, actor))
BOOST_DESCRIBE_STRUCT(BeadStatusSet, (), (bead_id, status, actor))
BOOST_DESCRIBE_STRUCT(BeadCancelled, (), (bead_id, cancel_status, actor))
BOOST_DESCRIBE_STRUCT(BeadReopened, (), (bead_id, actor))
BOOST_DESCRIBE_STRUCT(BeadRetried, (), (bead_id, actor))
BOOST_DESCRIBE_STRUCT(DependencyAdded, (), (dependency))
BOOST_DESCRIBE_STRUCT(DependencyRemoved, (), (dependency))
BOOST_DESCRIBE_STRUCT(ConvoyBead, (), (title, body, rig_id, priority, labels, after, metadata))
BOOST_DESCRIBE_STRUCT(ConvoyCreated, (),
                      (title, beads, existing_beads, merge_mode, staged, on_failed_child, created_by))
BOOST_DESCRIBE_STRUCT(ConvoyStarted, (), (convoy_id))
BOOST_DESCRIBE_STRUCT(ConvoyClosed, (), (convoy_id, actor))
BOOST_DESCRIBE_STRUCT(ConvoyBeadAdded, (), (convoy_id, bead_id, after))
BOOST_DESCRIBE_STRUCT(ConvoyBeadRemoved, (), (convoy_id, bead_id))
BOOST_DESCRIBE_STRUCT(AgentReset, (), (agent_id, actor))
BOOST_DESCRIBE_STRUCT(AgentRegistered, (), (role, rig_id, name, identity, reuse))
BOOST_DESCRIBE_STRUCT(AgentDeleted, (), (agent_id, actor))
BOOST_DESCRIBE_STRUCT(AgentHooked, (), (agent_id, bead_id))
BOOST_DESCRIBE_STRUCT(AgentUnhooked, (), (agent_id))
BOOST_DESCRIBE_STRUCT(BeadDeleted, (), (bead_id, actor))
BOOST_DESCRIBE_STRUCT(MoleculeStep, (), (title, body))
BOOST_DESCRIBE_STRUCT(MoleculeCreated, (), (bead_id, steps, created_by))
BOOST_DESCRIBE_STRUCT(MoleculeAdvanced, (), (agent_id, step_bead_id, summary))
BOOST_DESCRIBE_STRUCT(ConvoyUpdated, (), (convoy_id, merge_mode, feature_branch, actor))
BOOST_DESCRIBE_STRUCT(ReviewCompleted, (), (entry, status, message, commit_sha, actor))
BOOST_DESCRIBE_STRUCT(MailSent, (), (from_agent_id, to_agent_id, rig_id, subject, body))
BOOST_DESCRIBE_STRUCT(MailRead, (), (agent_id, last))
BOOST_DESCRIBE_STRUCT(NudgeQueued, (), (agent_id, message, mode, urgent, source, ttl))
BOOST_DESCRIBE_STRUCT(NudgeTimeout, (), ())
BOOST_DESCRIBE_STRUCT(EscalationAcknowledged, (), (bead_id, actor))
BOOST_DESCRIBE_STRUCT(TriageResolved, (), (bead_id, agent_id, action, notes))
BOOST_DESCRIBE_STRUCT(RigAdded, (), (rig))
BOOST_DESCRIBE_STRUCT(RigChanged, (), (rig_id, name, git_url, default_branch, config))
BOOST_DESCRIBE_STRUCT(RigChecked, (), (rig_id, broken_reason, default_branch))
BOOST_DESCRIBE_STRUCT(RigTrust, (), (rig_id, untrusted_reason))
BOOST_DESCRIBE_STRUCT(QueueResumed, (), (rig_id))
BOOST_DESCRIBE_STRUCT(EventRetried, (), (event_seq, actor))
BOOST_DESCRIBE_STRUCT(ConfigChanged, (), (config))
BOOST_DESCRIBE_STRUCT(DrainStarted, (), ())
BOOST_DESCRIBE_STRUCT(DrainEnded, (), ())
BOOST_DESCRIBE_STRUCT(TownPaused, (), (reason))
BOOST_DESCRIBE_STRUCT(TownResumed, (), ())
BOOST_DESCRIBE_STRUCT(ContainerEviction, (), ())
BOOST_DESCRIBE_STRUCT(ContainerStatus, (), (agent_id, run_id, status, exit_reason))
BOOST_DESCRIBE_STRUCT(DispatchAccepted, (), (run_id))
BOOST_DESCRIBE_STRUCT(DispatchRefused, (), (run_id, outcome, reason, limited_until, setup_failed))
BOOST_DESCRIBE_STRUCT(AgentStopped, (), (agent_id, run_id))
BOOST_DESCRIBE_STRUCT(PollAnswer, (),
                      (ok, status, mergeable_state, head, review_decision, unresolved_comments, failing_checks,
                       unchecked_runs, all_checks_pass, checks_pending, feedback_known, pr_number, repo, provider,
                       error_kind, http_status, transient, error_message, no_checks, feedback, threads, rest_until,
                       base))
BOOST_DESCRIBE_STRUCT(PrPolled, (), (bead_id, answer))
BOOST_DESCRIBE_STRUCT(PrStatusChanged, (), (bead_id, pr_url, pr_state))
BOOST_DESCRIBE_STRUCT(PrFeedbackDetected, (),
                      (mr_bead_id, pr_url, pr_number, repo, branch, has_unresolved_comments, has_failing_checks,
                       has_unchecked_runs, feedback, threads))
BOOST_DESCRIBE_STRUCT(PrConflictDetected, (), (mr_bead_id, source_bead_id, pr_url, branch))
BOOST_DESCRIBE_STRUCT(PrAutoMerge, (), (mr_bead_id, pr_url))
BOOST_DESCRIBE_STRUCT(PrMergeResult, (), (bead_id, merged, why, head))
BOOST_DESCRIBE_STRUCT(PrPublished, (),
                      (bead_id, ok, commit, pr_url, head, error_kind, http_status, transient, why, rest_until))
BOOST_DESCRIBE_STRUCT(PrNoticed, (), (rig_id, pr_number, head, by_hook))
BOOST_DESCRIBE_STRUCT(TrialConflict, (), (bead_id, output, its_own))
BOOST_DESCRIBE_STRUCT(TrialResult, (),
                      (agent_id, run_id, base, requests, commit, gate, outcome, output, duration_ms, conflicts, flaked,
                       base_checked))
BOOST_DESCRIBE_STRUCT(GitMergeResult, (), (bead_id, answer, commit, why, alone))
BOOST_DESCRIBE_STRUCT(NodeChanged, (), (node))
BOOST_DESCRIBE_STRUCT(NudgeDelivered, (), (nudge_id, delivered))
BOOST_DESCRIBE_STRUCT(MailDelivered, (), (mail_id, delivered))
BOOST_DESCRIBE_STRUCT(ObservationGap, (), (from, to))

}  // namespace townd::events

namespace townd {

BOOST_DESCRIBE_STRUCT(SignOfLife, (),
                      (agent_id, run_id, at, last_event_type, last_event_at, active_tools, tokens, cost_micro_usd))

/// The wire form {seq, event_type, agent_id, bead_id, payload, created_at}, as snapshots and answers show it.
template <>
struct JsonForm<Event> {
  static json::value write(const JsonWriter& writer, const Event& event);
  static bool read(JsonReader& reader, const json::value& v, Event& out);
};
template <>
struct JsonForm<std::shared_ptr<const Event>> {
  static json::value write(const JsonWriter& writer, const std::shared_ptr<const Event>& event);
  static bool read(JsonReader& reader, const json::value& v, std::shared_ptr<const Event>& out);
};

BOOST_DESCRIBE_STRUCT(DeferredEvent, (), (event, attempts, reason, retry_at))

}  // namespace townd
