#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/rows.hpp"

/// Every correction that a rule can decide on: one struct for each kind, and the variant of them all. docs/actions.md
/// has a row for each. `from` is what the rule saw; an action whose `from` no longer holds is skipped and counted.
namespace townd::actions {

struct TransitionBead {
  BeadId bead_id;
  BeadStatus from = BeadStatus::open;
  BeadStatus to = BeadStatus::open;
  std::string reason;
};

struct ClearBeadAssignee {
  BeadId bead_id;
};

/// A new request for work that was handed in before, from the recorded branch and URL of `request_id` (R4).
struct CreateMrBead {
  BeadId source_bead_id;
  BeadId request_id;
  AgentId agent_id;
  RigId rig_id;
  std::string branch;
  std::string target_branch;
  std::string pr_url;
};

struct CreateLandingMr {
  BeadId convoy_id;
  RigId rig_id;
  std::string feature_branch;
  std::string target_branch;
};

struct TransitionAgent {
  AgentId agent_id;
  AgentStatus from = AgentStatus::idle;
  AgentStatus to = AgentStatus::idle;
  std::string reason;
};

struct HookAgent {
  AgentId agent_id;
  BeadId bead_id;
};

struct UnhookAgent {
  AgentId agent_id;
  BeadId from;  ///< the hook that the rule saw
  std::string reason;
};

struct ClearAgentCheckpoint {
  AgentId agent_id;
};

struct ResetAgentDispatchAttempts {
  AgentId agent_id;
};

struct DeleteAgent {
  AgentId agent_id;
  std::string reason;
};

struct ArchiveBead {
  BeadId bead_id;
};

struct UpdateConvoyProgress {
  BeadId convoy_id;
  int closed_beads = 0;
};

struct SetConvoyReadyToLand {
  BeadId convoy_id;
  bool ready = true;
};

struct CloseConvoy {
  BeadId convoy_id;
};

struct FailConvoy {
  BeadId convoy_id;
  std::string reason;  ///< a name, such as `landing_mr_exhausted`
  std::string message;
};

/// `agent_id` is empty when applying it chooses the agent; the choice is recorded beside the action.
struct DispatchAgent {
  AgentId agent_id;
  BeadId bead_id;  ///< empty for the mayor
  RigId rig_id;
  RunKind kind = RunKind::work;
  bool probe = false;
};

/// Stamps the run. `give_up` ends the run as lost without an answer of the runtime.
struct StopAgent {
  AgentId agent_id;
  RunId run_id;  ///< empty for an agent that was loaded without a run
  Outcome outcome = Outcome::stopped;
  bool give_up = false;
  std::string reason;
};

struct PollPr {
  BeadId bead_id;
  std::string pr_url;
};

struct MergePr {
  BeadId bead_id;
  std::string pr_url;
};

struct VerifyMerge {
  BeadId bead_id;
  bool give_up = false;  ///< no answer after the last try: the request fails with an escalation
};

struct SendNudge {
  AgentId agent_id;
  std::string tier;  ///< `warn` or `escalate`
  std::string message;
};

struct DeliverNudge {
  AgentId agent_id;
  MessageId nudge_id;
};

struct DeliverMail {
  AgentId agent_id;
  MessageId mail_id;
};

struct ExpireNudge {
  MessageId nudge_id;
};

struct CreateTriageRequest {
  AgentId agent_id;
  std::string triage_type;
  BeadId bead_id;
  RunId run_id;
  std::string reason;
};

struct CreateTriageBatch {
  std::vector<BeadId> requests;
};

/// Raises a new escalation, or the one named by `escalation_id` again.
struct RaiseEscalation {
  BeadId escalation_id;
  BeadId bead_id;
  AgentId agent_id;
  Priority severity = Priority::high;
  std::string category;
  std::string message;
};

struct NotifyMayor {
  RigId rig_id;  ///< whose breaker; empty for the town's
  std::string message;
};

/// A budget that people were told about is free again: its next breach is a new one.
struct ForgetBudgetBreach {
  std::string setting;
};

struct EmitEvent {
  std::string event_name;
  BeadId convoy_id;
  RigId rig_id;
  int suppressed_attempt = 0;
};

}  // namespace townd::actions

namespace townd {

using ActionBody =
    std::variant<actions::TransitionBead, actions::ClearBeadAssignee, actions::CreateMrBead, actions::CreateLandingMr,
                 actions::TransitionAgent, actions::HookAgent, actions::UnhookAgent, actions::ClearAgentCheckpoint,
                 actions::ResetAgentDispatchAttempts, actions::DeleteAgent, actions::ArchiveBead,
                 actions::UpdateConvoyProgress, actions::SetConvoyReadyToLand, actions::CloseConvoy,
                 actions::FailConvoy, actions::DispatchAgent, actions::StopAgent, actions::PollPr, actions::MergePr,
                 actions::VerifyMerge, actions::SendNudge, actions::DeliverNudge, actions::DeliverMail,
                 actions::ExpireNudge, actions::CreateTriageRequest, actions::CreateTriageBatch,
                 actions::RaiseEscalation, actions::NotifyMayor, actions::EmitEvent, actions::ForgetBudgetBreach>;

/// The name on the wire, such as `dispatch_agent`.
std::string_view action_type(const ActionBody& body);

struct Action {
  std::string_view rule;  ///< the id of the rule that ordered it; a name from the rule table
  ActionBody body;
};

}  // namespace townd
