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

  friend bool operator==(const TransitionBead&, const TransitionBead&) = default;
};

struct ClearBeadAssignee {
  BeadId bead_id;

  friend bool operator==(const ClearBeadAssignee&, const ClearBeadAssignee&) = default;
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

  friend bool operator==(const CreateMrBead&, const CreateMrBead&) = default;
};

struct CreateLandingMr {
  BeadId convoy_id;
  RigId rig_id;
  std::string feature_branch;
  std::string target_branch;

  friend bool operator==(const CreateLandingMr&, const CreateLandingMr&) = default;
};

struct TransitionAgent {
  AgentId agent_id;
  AgentStatus from = AgentStatus::idle;
  AgentStatus to = AgentStatus::idle;
  std::string reason;

  friend bool operator==(const TransitionAgent&, const TransitionAgent&) = default;
};

struct HookAgent {
  AgentId agent_id;
  BeadId bead_id;

  friend bool operator==(const HookAgent&, const HookAgent&) = default;
};

struct UnhookAgent {
  AgentId agent_id;
  BeadId from;  ///< the hook that the rule saw
  std::string reason;

  friend bool operator==(const UnhookAgent&, const UnhookAgent&) = default;
};

struct ClearAgentCheckpoint {
  AgentId agent_id;

  friend bool operator==(const ClearAgentCheckpoint&, const ClearAgentCheckpoint&) = default;
};

struct ResetAgentDispatchAttempts {
  AgentId agent_id;

  friend bool operator==(const ResetAgentDispatchAttempts&, const ResetAgentDispatchAttempts&) = default;
};

struct DeleteAgent {
  AgentId agent_id;
  std::string reason;

  friend bool operator==(const DeleteAgent&, const DeleteAgent&) = default;
};

struct ArchiveBead {
  BeadId bead_id;

  friend bool operator==(const ArchiveBead&, const ArchiveBead&) = default;
};

struct UpdateConvoyProgress {
  BeadId convoy_id;
  int closed_beads = 0;

  friend bool operator==(const UpdateConvoyProgress&, const UpdateConvoyProgress&) = default;
};

struct SetConvoyReadyToLand {
  BeadId convoy_id;
  bool ready = true;

  friend bool operator==(const SetConvoyReadyToLand&, const SetConvoyReadyToLand&) = default;
};

struct CloseConvoy {
  BeadId convoy_id;

  friend bool operator==(const CloseConvoy&, const CloseConvoy&) = default;
};

struct FailConvoy {
  BeadId convoy_id;
  std::string reason;  ///< a name, such as `landing_mr_exhausted`
  std::string message;

  friend bool operator==(const FailConvoy&, const FailConvoy&) = default;
};

/// `agent_id` is empty when applying it chooses the agent; the choice is recorded beside the action.
struct DispatchAgent {
  AgentId agent_id;
  BeadId bead_id;  ///< empty for the mayor
  RigId rig_id;
  RunKind kind = RunKind::work;
  bool probe = false;
  std::vector<BeadId> batch = {};  ///< requests that a refinery tries together with `bead_id`, in order
  BeadId ahead_of = {};            ///< the head of the trial that they are tried on top of; empty: on the target

  friend bool operator==(const DispatchAgent&, const DispatchAgent&) = default;
};

/// Stamps the run. `give_up` ends the run as lost without an answer of the runtime.
struct StopAgent {
  AgentId agent_id;
  RunId run_id;  ///< empty for an agent that was loaded without a run
  Outcome outcome = Outcome::stopped;
  bool give_up = false;
  std::string reason;

  friend bool operator==(const StopAgent&, const StopAgent&) = default;
};

struct PollPr {
  BeadId bead_id;
  std::string pr_url;

  friend bool operator==(const PollPr&, const PollPr&) = default;
};

struct MergePr {
  BeadId bead_id;
  std::string pr_url;

  friend bool operator==(const MergePr&, const MergePr&) = default;
};

struct PublishPr {
  BeadId bead_id;

  friend bool operator==(const PublishPr&, const PublishPr&) = default;
};

struct VerifyMerge {
  BeadId bead_id;
  bool give_up = false;  ///< no answer after the last try: the request fails with an escalation

  friend bool operator==(const VerifyMerge&, const VerifyMerge&) = default;
};

struct SendNudge {
  AgentId agent_id;
  std::string tier;  ///< `warn` or `escalate`
  std::string message;

  friend bool operator==(const SendNudge&, const SendNudge&) = default;
};

struct DeliverNudge {
  AgentId agent_id;
  MessageId nudge_id;

  friend bool operator==(const DeliverNudge&, const DeliverNudge&) = default;
};

struct DeliverMail {
  AgentId agent_id;
  MessageId mail_id;

  friend bool operator==(const DeliverMail&, const DeliverMail&) = default;
};

struct ExpireNudge {
  MessageId nudge_id;

  friend bool operator==(const ExpireNudge&, const ExpireNudge&) = default;
};

struct CreateTriageRequest {
  AgentId agent_id;
  std::string triage_type;
  BeadId bead_id;
  RunId run_id;
  std::string reason;

  friend bool operator==(const CreateTriageRequest&, const CreateTriageRequest&) = default;
};

struct CreateTriageBatch {
  std::vector<BeadId> requests;

  friend bool operator==(const CreateTriageBatch&, const CreateTriageBatch&) = default;
};

/// Raises a new escalation, or the one named by `escalation_id` again.
struct RaiseEscalation {
  BeadId escalation_id;
  BeadId bead_id;
  AgentId agent_id;
  Priority severity = Priority::high;
  std::string category;
  std::string message;

  friend bool operator==(const RaiseEscalation&, const RaiseEscalation&) = default;
};

struct NotifyMayor {
  RigId rig_id;  ///< whose breaker; empty for the town's
  std::string message;

  friend bool operator==(const NotifyMayor&, const NotifyMayor&) = default;
};

/// A budget that people were told about is free again: its next breach is a new one.
struct ForgetBudgetBreach {
  std::string setting;

  friend bool operator==(const ForgetBudgetBreach&, const ForgetBudgetBreach&) = default;
};

struct EmitEvent {
  std::string event_name;
  BeadId convoy_id;
  RigId rig_id;
  int suppressed_attempt = 0;

  friend bool operator==(const EmitEvent&, const EmitEvent&) = default;
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
                 actions::RaiseEscalation, actions::NotifyMayor, actions::EmitEvent, actions::ForgetBudgetBreach,
                 actions::PublishPr>;

/// The name on the wire, such as `dispatch_agent`.
std::string_view action_type(const ActionBody& body);

struct Action {
  std::string_view rule;  ///< the id of the rule that ordered it; a name from the rule table
  ActionBody body;
};

}  // namespace townd
