#pragma once

#include "core/change.hpp"

/// fact -> town, one overload for each kind: agents' facts in apply_agents.cpp, people's in apply_requests.cpp,
/// apply_molecules.cpp and apply_by_hand.cpp, effects' in apply_results.cpp, forges' in
/// apply_pull_requests.cpp. Whatever is missing is noted; what cannot
/// be done now is an error, and nothing is half done.
namespace townd::apply {

using Result = expected<void>;

inline Result applied() { return {}; }
/// Applied, but not as its sender may think; the note says why.
inline Result noted(Change& change, std::string note) {
  change.note(std::move(note));
  return {};
}

inline bool live(const Bead* bead) { return bead && !terminal(bead->status); }
/// The live request that an answer is about, or null, which is noted: answers for a terminal request are ignored.
const Review* live_review(Change& change, const BeadId& id);

Result on(Change& change, const events::AgentDone& e);
Result on(Change& change, const events::AgentCompleted& e);
Result on(Change& change, const events::AgentWaiting& e);
Result on(Change& change, const events::AgentCheckpoint& e);
Result on(Change& change, const events::AgentSaid& e);
Result on(Change& change, const events::RequestChanges& e);
Result on(Change& change, const events::EscalationRaised& e);
Result on(Change& change, const events::TrialResult& e);

Result on(Change& change, const events::BeadCreated& e);
Result on(Change& change, const events::BeadUpdated& e);
Result on(Change& change, const events::BeadStatusSet& e);
Result on(Change& change, const events::BeadCancelled& e);
Result on(Change& change, const events::BeadReopened& e);
Result on(Change& change, const events::BeadRetried& e);
Result on(Change& change, const events::DependencyAdded& e);
Result on(Change& change, const events::DependencyRemoved& e);
Result on(Change& change, const events::ConvoyCreated& e);
Result on(Change& change, const events::ConvoyStarted& e);
Result on(Change& change, const events::ConvoyClosed& e);
Result on(Change& change, const events::ConvoyBeadAdded& e);
Result on(Change& change, const events::ConvoyBeadRemoved& e);
Result on(Change& change, const events::AgentReset& e);
Result on(Change& change, const events::AgentRegistered& e);
Result on(Change& change, const events::AgentDeleted& e);
Result on(Change& change, const events::AgentHooked& e);
Result on(Change& change, const events::AgentUnhooked& e);
Result on(Change& change, const events::BeadDeleted& e);
Result on(Change& change, const events::MoleculeCreated& e);
Result on(Change& change, const events::MoleculeAdvanced& e);
Result on(Change& change, const events::ConvoyUpdated& e);
Result on(Change& change, const events::ReviewCompleted& e);
Result on(Change& change, const events::MailSent& e);
Result on(Change& change, const events::MailRead& e);
Result on(Change& change, const events::NudgeQueued& e);
Result on(Change& change, const events::NudgeTimeout& e);
Result on(Change& change, const events::EscalationAcknowledged& e);
Result on(Change& change, const events::TriageResolved& e);
Result on(Change& change, const events::RigAdded& e);
Result on(Change& change, const events::RigChanged& e);
Result on(Change& change, const events::RigTrust& e);
Result on(Change& change, const events::QueueResumed& e);
Result on(Change& change, const events::BranchAdopted& e);
Result on(Change& change, const events::EventRetried& e);
Result on(Change& change, const events::ConfigChanged& e);
Result on(Change& change, const events::DrainStarted& e);
Result on(Change& change, const events::DrainEnded& e);
Result on(Change& change, const events::TownPaused& e);
Result on(Change& change, const events::TownResumed& e);

Result on(Change& change, const events::ContainerEviction& e);
Result on(Change& change, const events::ContainerStatus& e);
Result on(Change& change, const events::DispatchAccepted& e);
Result on(Change& change, const events::DispatchRefused& e);
Result on(Change& change, const events::AgentStopped& e);
Result on(Change& change, const events::PrPolled& e);
Result on(Change& change, const events::PrStatusChanged& e);
Result on(Change& change, const events::PrFeedbackDetected& e);
Result on(Change& change, const events::PrConflictDetected& e);
Result on(Change& change, const events::PrAutoMerge& e);
Result on(Change& change, const events::PrMergeResult& e);
Result on(Change& change, const events::PrPublished& e);
Result on(Change& change, const events::PrNoticed& e);
Result on(Change& change, const events::GitMergeResult& e);
Result on(Change& change, const events::NodeChanged& e);
Result on(Change& change, const events::NudgeDelivered& e);
Result on(Change& change, const events::MailDelivered& e);
Result on(Change& change, const events::RigChecked& e);
Result on(Change& change, const events::ObservationGap& e);

/// Ends a bead for people: unhooks, ends its requests; a convoy's children likewise.
void cancel(Change& change, const BeadId& id, BeadStatus to);
/// The outcome that a name stands for, if it is one.
std::optional<Outcome> outcome_named(std::string_view name);

}  // namespace townd::apply
