#pragma once

#include "codec/describe_events.hpp"
#include "core/action.hpp"
#include "core/agenda.hpp"
#include "core/effect.hpp"
#include "core/tick.hpp"
#include "ports/store.hpp"

/// The names of the members of actions, effects and what a tick leaves, for JSON.
namespace townd::actions {

BOOST_DESCRIBE_STRUCT(TransitionBead, (), (bead_id, from, to, reason))
BOOST_DESCRIBE_STRUCT(ClearBeadAssignee, (), (bead_id))
BOOST_DESCRIBE_STRUCT(CreateMrBead, (), (source_bead_id, request_id, agent_id, rig_id, branch, target_branch, pr_url))
BOOST_DESCRIBE_STRUCT(CreateLandingMr, (), (convoy_id, rig_id, feature_branch, target_branch))
BOOST_DESCRIBE_STRUCT(TransitionAgent, (), (agent_id, from, to, reason))
BOOST_DESCRIBE_STRUCT(HookAgent, (), (agent_id, bead_id))
BOOST_DESCRIBE_STRUCT(UnhookAgent, (), (agent_id, from, reason))
BOOST_DESCRIBE_STRUCT(ClearAgentCheckpoint, (), (agent_id))
BOOST_DESCRIBE_STRUCT(ResetAgentDispatchAttempts, (), (agent_id))
BOOST_DESCRIBE_STRUCT(DeleteAgent, (), (agent_id, reason))
BOOST_DESCRIBE_STRUCT(ArchiveBead, (), (bead_id))
BOOST_DESCRIBE_STRUCT(UpdateConvoyProgress, (), (convoy_id, closed_beads))
BOOST_DESCRIBE_STRUCT(SetConvoyReadyToLand, (), (convoy_id, ready))
BOOST_DESCRIBE_STRUCT(CloseConvoy, (), (convoy_id))
BOOST_DESCRIBE_STRUCT(FailConvoy, (), (convoy_id, reason, message))
BOOST_DESCRIBE_STRUCT(DispatchAgent, (), (agent_id, bead_id, rig_id, kind, probe, batch, ahead_of))
BOOST_DESCRIBE_STRUCT(StopAgent, (), (agent_id, run_id, outcome, give_up, reason))
BOOST_DESCRIBE_STRUCT(PollPr, (), (bead_id, pr_url))
BOOST_DESCRIBE_STRUCT(MergePr, (), (bead_id, pr_url))
BOOST_DESCRIBE_STRUCT(PublishPr, (), (bead_id))
BOOST_DESCRIBE_STRUCT(VerifyMerge, (), (bead_id, give_up))
BOOST_DESCRIBE_STRUCT(SendNudge, (), (agent_id, tier, message))
BOOST_DESCRIBE_STRUCT(DeliverNudge, (), (agent_id, nudge_id))
BOOST_DESCRIBE_STRUCT(DeliverMail, (), (agent_id, mail_id))
BOOST_DESCRIBE_STRUCT(ExpireNudge, (), (nudge_id))
BOOST_DESCRIBE_STRUCT(CreateTriageRequest, (), (agent_id, triage_type, bead_id, run_id, reason))
BOOST_DESCRIBE_STRUCT(CreateTriageBatch, (), (requests))
BOOST_DESCRIBE_STRUCT(RaiseEscalation, (), (escalation_id, bead_id, agent_id, severity, category, message))
BOOST_DESCRIBE_STRUCT(NotifyMayor, (), (rig_id, message))
BOOST_DESCRIBE_STRUCT(ForgetBudgetBreach, (), (setting))
BOOST_DESCRIBE_STRUCT(EmitEvent, (), (event_name, convoy_id, rig_id, suppressed_attempt))

}  // namespace townd::actions

namespace townd::effects {

BOOST_DESCRIBE_STRUCT(StartAgent, (), (run_id))
BOOST_DESCRIBE_STRUCT(StopAgent, (), (agent_id, run_id))
BOOST_DESCRIBE_STRUCT(Land, (), (request_id))
BOOST_DESCRIBE_STRUCT(PollPr, (), (request_id))
BOOST_DESCRIBE_STRUCT(MergePr, (), (request_id))
BOOST_DESCRIBE_STRUCT(PublishPr, (), (request_id))
BOOST_DESCRIBE_STRUCT(ClosePrComment, (), (request_id))
BOOST_DESCRIBE_STRUCT(DeliverNudge, (), (agent_id, nudge_id))
BOOST_DESCRIBE_STRUCT(DeliverMail, (), (agent_id, mail_id))
BOOST_DESCRIBE_STRUCT(CollectRun, (), (run_id))
BOOST_DESCRIBE_STRUCT(PrepareRig, (), (rig_id))
BOOST_DESCRIBE_STRUCT(PrepareConvoy, (), (convoy_id))
BOOST_DESCRIBE_STRUCT(Alert, (), (kind, bead_id, message))

}  // namespace townd::effects

namespace townd {

BOOST_DESCRIBE_ENUM(Stage, agents, issues, hooked_agents, work_queue, town, requests, refineries, merge_queue, convoys,
                    gupp, gc_agents, gc_beads, mayor, messages, triage, escalations, molecules)
BOOST_DESCRIBE_ENUM(EventFate, applied, deferred, quarantined, refused)
BOOST_DESCRIBE_ENUM(ActionFate, applied, stale, refused)

/// `{"type": "dispatch_agent", …}`, with the reference's `data` in emit_event.
template <>
struct JsonForm<ActionBody> {
  static json::value write(const JsonWriter& writer, const ActionBody& body);
  static bool read(JsonReader& reader, const json::value& v, ActionBody& out);
};

/// Views in core's structs are names from the rule table.
template <>
struct JsonForm<std::string_view> {
  static json::value write(const JsonWriter& writer, const std::string_view& rule);
  static bool read(JsonReader& reader, const json::value& v, std::string_view& out);
};

BOOST_DESCRIBE_STRUCT(EventOutcome, (), (seq, fate, note, created, again))
BOOST_DESCRIBE_STRUCT(Decided, (), (rule, stage, subject, actions, fate, why, chosen))
BOOST_DESCRIBE_STRUCT(Violation, (), (invariant, subject, message, rule))
BOOST_DESCRIBE_STRUCT(Missed, (), (stage, subject))
BOOST_DESCRIBE_STRUCT(PhaseTimes, (), (drain, reconcile, digest, rows))
BOOST_DESCRIBE_STRUCT(TickRecord, (),
                      (number, at, trigger, life, missed, events, config_version, decisions, violations, effects,
                       effects_succeeded, effects_failed, pending_events, wall_us, phases_us, digest))

}  // namespace townd
