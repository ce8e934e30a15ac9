#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/rows.hpp"

/// Every fact that can change a town: one struct for each kind, and the variant of them all. docs/events.md has a row
/// for each. A field that is empty was not said.
namespace townd::events {

// ---- what agents say -------------------------------------------------------------------------------------------

struct AgentDone {
  AgentId agent_id;
  RunId run_id;
  std::string branch;
  std::string pr_url;
  std::string summary;
  std::string commit;
};

/// The process of a run ended. `reason` is `gave_up`, `container eviction` or the name of an outcome.
struct AgentCompleted {
  AgentId agent_id;
  RunId run_id;
  std::string status;  ///< `completed` or `failed`; anything else is read as `failed`
  std::string reason;
  std::int64_t tokens = 0;
  std::int64_t cost_micro_usd = 0;
  MaybeInstant limited_until;
};

struct AgentWaiting {
  AgentId agent_id;
  MaybeInstant fired_at;
};

struct AgentCheckpoint {
  AgentId agent_id;
  std::string data;
};

struct AgentSaid {
  AgentId agent_id;
  std::string message;
};

struct RequestChanges {
  AgentId agent_id;
  RunId run_id;
  BeadId bead_id;
  std::string feedback;
  std::vector<std::string> files;
};

struct EscalationRaised {
  AgentId agent_id;  ///< empty: a person
  RigId rig_id;
  Priority severity = Priority::medium;
  std::string category;
  std::string title;
  std::string body;
};

// ---- what people and programs ask for --------------------------------------------------------------------------

struct BeadCreated {
  BeadId bead_id;  ///< empty in a request; the town gives the id
  BeadType type = BeadType::issue;
  std::string title;
  std::string body;
  RigId rig_id;
  Priority priority = Priority::medium;
  std::vector<std::string> labels;
  std::string metadata = "{}";
  BeadId parent_bead_id;
  BeadId convoy_id;
  std::vector<BeadId> after;  ///< the beads that block it
  bool held = false;
  std::string created_by;
};

/// Work that is there already: a branch of the rig's source, as it was at `commit`.
struct BranchAdopted {
  BeadId bead_id;  ///< empty in a request; the town gives the id
  RigId rig_id;
  std::string branch;
  std::string commit;  ///< in the rig's repository
  std::string title;
  std::string body;
  Priority priority = Priority::medium;
  std::string created_by;
  std::string pr_url;  ///< it is a pull request already
};

struct BeadUpdated {
  BeadId bead_id;
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<Priority> priority;
  std::optional<std::vector<std::string>> labels;
  std::optional<std::string> metadata;
  std::string actor;
};

/// A status written by a person or a tool; terminal targets are cancellations.
struct BeadStatusSet {
  BeadId bead_id;
  BeadStatus status = BeadStatus::open;
  std::string actor;
};

struct BeadCancelled {
  BeadId bead_id;
  std::string cancel_status = "failed";  ///< `closed`, else read as `failed`
  std::string actor;
};

struct BeadReopened {
  BeadId bead_id;
  std::string actor;
};

/// A person's "try again": clears back-off and attempts, ends holds that wait for a person.
struct BeadRetried {
  BeadId bead_id;
  std::string actor;
};

struct DependencyAdded {
  Dependency dependency;
};

struct DependencyRemoved {
  Dependency dependency;
};

struct ConvoyBead {
  std::string title;
  std::string body;
  RigId rig_id;
  Priority priority = Priority::medium;
  std::vector<std::string> labels;
  std::vector<int> after;  ///< 0-based places in the same list
  std::string metadata = "{}";
};

struct ConvoyCreated {
  std::string title;
  std::vector<ConvoyBead> beads;       ///< made with the convoy
  std::vector<BeadId> existing_beads;  ///< or tracked as they are
  std::optional<MergeMode> merge_mode;
  std::optional<bool> staged;
  OnFailedChild on_failed_child = OnFailedChild::hold;
  std::string created_by;
};

struct ConvoyStarted {
  BeadId convoy_id;
};

/// Force close: ends its live beads as cancelled, then the convoy.
struct ConvoyClosed {
  BeadId convoy_id;
  std::string actor;
};

struct ConvoyBeadAdded {
  BeadId convoy_id;
  BeadId bead_id;
  std::vector<BeadId> after;
};

struct ConvoyBeadRemoved {
  BeadId convoy_id;
  BeadId bead_id;
};

struct AgentReset {
  AgentId agent_id;
  std::string actor;
};

/// Somebody registers an agent by hand; with `reuse`, only when no fitting one is free.
struct AgentRegistered {
  AgentRole role = AgentRole::polecat;
  RigId rig_id;          ///< empty for a mayor
  std::string name;      ///< empty: the next free one
  std::string identity;  ///< empty: made from the name
  bool reuse = false;
};

/// Takes an agent out of the town; what was assigned to it goes back.
struct AgentDeleted {
  AgentId agent_id;
  std::string actor;
};

/// Gives a bead to one agent, who is then dispatched with it.
struct AgentHooked {
  AgentId agent_id;
  BeadId bead_id;
};

struct AgentUnhooked {
  AgentId agent_id;
};

/// Takes a bead with its children and requests out of the town.
struct BeadDeleted {
  BeadId bead_id;
  std::string actor;
};

struct MoleculeStep {
  std::string title;
  std::string body;
};

/// An issue's work is divided into steps, done one after another by the agent that works on it.
struct MoleculeCreated {
  BeadId bead_id;
  std::vector<MoleculeStep> steps;
  std::string created_by;
};

/// The current step of a molecule is done.
struct MoleculeAdvanced {
  AgentId agent_id;
  BeadId step_bead_id;
  std::string summary;
};

/// Another way to land, or another branch, for a convoy none of whose work was handed in yet.
struct ConvoyUpdated {
  BeadId convoy_id;
  std::optional<MergeMode> merge_mode;
  std::optional<std::string> feature_branch;
  std::string actor;
};

/// The outcome of a review as somebody reports it: `merged`, `failed` or `conflict`.
struct ReviewCompleted {
  BeadId entry;
  std::string status;
  std::string message;
  std::string commit_sha;
  std::string actor;
};

/// Mail from an agent or from people (no sender) to an agent or, from an agent only, to people (no recipient).
struct MailSent {
  AgentId from_agent_id;
  AgentId to_agent_id;
  RigId rig_id;
  std::string subject;
  std::string body;
};

/// An agent has read all its mail up to and including `last` (prime and mail check deliver).
struct MailRead {
  AgentId agent_id;
  MessageId last;
};

struct NudgeQueued {
  AgentId agent_id;
  std::string message;
  NudgeMode mode = NudgeMode::wait_idle;
  bool urgent = false;
  std::string source;
  std::optional<Duration> ttl;
};

struct NudgeTimeout {};

struct EscalationAcknowledged {
  BeadId bead_id;
  std::string actor;
};

struct TriageResolved {
  BeadId bead_id;
  AgentId agent_id;
  std::string action;
  std::string notes;
};

struct RigAdded {
  Rig rig;
};

struct RigChanged {
  RigId rig_id;
  std::string name;
  std::string git_url;
  std::string default_branch;
  RigConfig config;
};

/// What a start check or set-up found: empty reasons mean usable.
struct RigChecked {
  RigId rig_id;
  std::string broken_reason;
  std::string default_branch;
};

struct RigTrust {
  RigId rig_id;
  std::string untrusted_reason;  ///< empty: trusted
};

/// A person has the merge queue go on.
struct QueueResumed {
  RigId rig_id;
};

/// A person has a fact that could not be applied tried again now, usually one that is quarantined.
struct EventRetried {
  std::int64_t event_seq = 0;
  std::string actor;
};

struct ConfigChanged {
  TownConfig config;  ///< complete; its version is the town's next
};

struct DrainStarted {};
struct DrainEnded {};
struct TownPaused {
  std::string reason;
};
struct TownResumed {};
struct ContainerEviction {};

// ---- what effects and the machine find out ---------------------------------------------------------------------

/// `starting running stopping exited failed not_found unknown`.
struct ContainerStatus {
  AgentId agent_id;
  RunId run_id;
  std::string status;
  std::string exit_reason;
};

struct DispatchAccepted {
  RunId run_id;
};

struct DispatchRefused {
  RunId run_id;
  Outcome outcome = Outcome::refused;
  std::string reason;
  MaybeInstant limited_until;
  bool setup_failed = false;  ///< the rig's own setup refused, whatever the bead
};

/// The runtime has seen the last process of this run end, or knows no such run.
struct AgentStopped {
  AgentId agent_id;
  RunId run_id;
};

struct PollAnswer {
  bool ok = false;
  std::string status;  ///< `open merged closed`
  std::string mergeable_state;
  std::string head;
  std::string review_decision;
  bool unresolved_comments = false;
  bool failing_checks = false;
  bool unchecked_runs = false;
  bool all_checks_pass = false;  ///< false also when unknown
  bool checks_pending = false;
  bool feedback_known = false;
  int pr_number = 0;
  std::string repo;
  std::string provider = "github";
  std::string error_kind;  ///< `no_token unrecognized_url host_mismatch http_error network invalid_response`
  int http_status = 0;
  bool transient = false;
  std::string error_message;
  bool no_checks = false;            ///< nobody has announced a check of this head
  std::string feedback;              ///< what is to be done about it, for an agent; only when it was asked for
  std::vector<std::string> threads;  ///< the unresolved review threads in it
  MaybeInstant rest_until;           ///< the forge asks to be left alone until then
  std::string base;                  ///< the branch that it is for
};

struct PrPolled {
  BeadId bead_id;
  PollAnswer answer;
};

struct PrStatusChanged {
  BeadId bead_id;
  std::string pr_url;
  std::string pr_state;
};

struct PrFeedbackDetected {
  BeadId mr_bead_id;
  std::string pr_url;
  int pr_number = 0;
  std::string repo;
  std::string branch;
  bool has_unresolved_comments = false;
  bool has_failing_checks = false;
  bool has_unchecked_runs = false;
  std::string feedback;
  std::vector<std::string> threads;
};

struct PrConflictDetected {
  BeadId mr_bead_id;
  BeadId source_bead_id;
  std::string pr_url;
  std::string branch;
};

struct PrAutoMerge {
  BeadId mr_bead_id;
  std::string pr_url;
};

struct PrMergeResult {
  BeadId bead_id;
  bool merged = false;
  std::string why;
  std::string head;  ///< its target was merged into it: the same work, under this commit
};

/// What came of putting work where its pull request is made from, and of opening that.
struct PrPublished {
  BeadId bead_id;
  bool ok = false;
  std::string commit;  ///< what was to be published; empty: the tip of its branch
  std::string pr_url;
  std::string head;        ///< where its branch is now
  std::string error_kind;  ///< as of a poll; `branch_taken`: somebody else's work has that name; `moved`: somebody else
                           ///< has put work on the branch that this has not
  int http_status = 0;
  bool transient = false;
  std::string why;
  MaybeInstant rest_until;
};

/// Something about a pull request has changed, so that it is polled at once.
struct PrNoticed {
  RigId rig_id;
  int pr_number = 0;  ///< 0: the one with this head
  std::string head;
  bool by_hook = false;  ///< … of its own accord
};

enum class TrialOutcome {
  green,
  red,
  conflict,  ///< nothing could be merged
  error,
  broken  ///< the gate fails on the base alone: it is nobody's fault
};

std::string_view to_string(TrialOutcome v);

/// A request that could not be merged in a trial.
struct TrialConflict {
  BeadId bead_id;
  std::string output;
  bool its_own = false;  ///< nothing was merged before it: it conflicts with the target itself
};

/// What `town refine` found on merging the requests on the base and running the gates.
struct TrialResult {
  AgentId agent_id;
  RunId run_id;
  std::string base;
  std::vector<BeadId> requests;
  std::string commit;
  std::string gate;
  TrialOutcome outcome = TrialOutcome::error;
  std::string output;
  std::int64_t duration_ms = 0;
  std::vector<TrialConflict> conflicts;  ///< not in `commit`, and not gated
  std::vector<std::string> flaked;       ///< gates that failed and then passed
  bool base_checked = false;             ///< `gate` passes on the base alone
};

enum class LandingAnswer { landed, moved, held, failed };

struct GitMergeResult {
  BeadId bead_id;
  LandingAnswer answer = LandingAnswer::failed;
  std::string commit;
  std::string why;
  bool alone = false;  ///< held for what the request itself is: others need not wait for it
};

struct NodeChanged {
  NodeFacts node;
};

struct NudgeDelivered {
  MessageId nudge_id;
  bool delivered = false;
};

struct MailDelivered {
  MessageId mail_id;
  bool delivered = false;
};

/// Nobody listened from `from` to `to`: silence in between is no evidence.
struct ObservationGap {
  Instant from;
  Instant to;
};

}  // namespace townd::events

namespace townd {

using EventBody = std::variant<
    events::AgentDone, events::AgentCompleted, events::AgentWaiting, events::AgentCheckpoint, events::AgentSaid,
    events::RequestChanges, events::EscalationRaised, events::BeadCreated, events::BeadUpdated, events::BeadStatusSet,
    events::BeadCancelled, events::BeadReopened, events::BeadRetried, events::DependencyAdded,
    events::DependencyRemoved, events::ConvoyCreated, events::ConvoyStarted, events::ConvoyClosed,
    events::ConvoyBeadAdded, events::ConvoyBeadRemoved, events::AgentReset, events::ReviewCompleted, events::MailSent,
    events::MailRead, events::NudgeQueued, events::NudgeTimeout, events::EscalationAcknowledged, events::TriageResolved,
    events::RigAdded, events::RigChanged, events::RigChecked, events::RigTrust, events::ConfigChanged,
    events::DrainStarted, events::DrainEnded, events::TownPaused, events::TownResumed, events::ContainerEviction,
    events::ContainerStatus, events::DispatchAccepted, events::DispatchRefused, events::AgentStopped, events::PrPolled,
    events::PrStatusChanged, events::PrFeedbackDetected, events::PrConflictDetected, events::PrAutoMerge,
    events::PrMergeResult, events::TrialResult, events::GitMergeResult, events::NodeChanged, events::NudgeDelivered,
    events::MailDelivered, events::ObservationGap, events::AgentRegistered, events::AgentDeleted, events::AgentHooked,
    events::AgentUnhooked, events::BeadDeleted, events::MoleculeCreated, events::MoleculeAdvanced,
    events::ConvoyUpdated, events::QueueResumed, events::BranchAdopted, events::EventRetried, events::PrPublished,
    events::PrNoticed>;

/// A fact with its place in the town's order. Nothing but `seq` orders facts.
struct Event {
  std::int64_t seq = 0;
  Instant created_at;
  EventBody body;
};

/// The name on the wire, such as `agent_done`.
std::string_view event_type(const EventBody& body);

/// An event that could not be applied: kept with its reason, retried, then quarantined (domain.md §2).
struct DeferredEvent {
  std::shared_ptr<const Event> event;
  int attempts = 0;
  std::string reason;
  Instant retry_at;  ///< kNever when quarantined
};

/// The last word of an agent's signs of life since the previous tick, folded for each field; not an event.
struct SignOfLife {
  AgentId agent_id;
  RunId run_id;
  Instant at;
  std::string last_event_type;  ///< empty: not said
  MaybeInstant last_event_at;
  std::optional<std::vector<std::string>> active_tools;
  std::int64_t tokens = 0;
  std::int64_t cost_micro_usd = 0;
};

}  // namespace townd
