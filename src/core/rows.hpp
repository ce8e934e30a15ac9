#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/hash.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

/// The rows a town is made of. Field names are the reference's (domain.md §1), so that its data fits.
namespace townd {

enum class BeadType { issue, merge_request, convoy, escalation, message, molecule };
inline constexpr std::size_t kBeadTypes = static_cast<std::size_t>(BeadType::molecule) + 1;
enum class BeadStatus { open, in_progress, in_review, closed, failed };
inline constexpr std::size_t kBeadStatuses = static_cast<std::size_t>(BeadStatus::failed) + 1;
enum class Priority { low, medium, high, critical };

constexpr bool terminal(BeadStatus s) { return s == BeadStatus::closed || s == BeadStatus::failed; }

/// What makes a rework-class issue: who it is for and where to work. Labels say which kind it is.
struct Rework {
  BeadId request;  ///< the merge request it blocks
  BeadId source;   ///< the issue that the request is for
  std::string branch;
  std::string target_branch;
  std::string pr_url;
  std::vector<std::string> files;
  bool has_conflicts = false;
  bool has_feedback = false;
  std::string conflict_target_branch;
  std::vector<std::string> threads;  ///< the forge's names of the review threads it is to answer
  friend bool operator==(const Rework&, const Rework&) = default;
};

/// A question about a stuck agent that a triage agent or a person resolves.
struct TriageRequest {
  std::string triage_type;  ///< `stuck_agent` or `escalation`
  AgentId agent;
  BeadId bead;  ///< the hook at the time of asking
  RunId run;
  std::string reason;
  std::vector<std::string> options;
  std::string resolution_action;
  std::string resolution_notes;
  std::string resolved_by;
  friend bool operator==(const TriageRequest&, const TriageRequest&) = default;
};

struct Escalation {
  Priority severity = Priority::medium;
  std::string category;
  std::string message;
  BeadId source;  ///< the bead it is about
  AgentId agent;
  BeadId convoy;
  bool conflict = false;
  bool acknowledged = false;
  MaybeInstant acknowledged_at;
  int re_escalation_count = 0;
  friend bool operator==(const Escalation&, const Escalation&) = default;
};

using BeadDetail = std::variant<Rework, TriageRequest, Escalation>;

struct Bead {
  BeadId bead_id;
  BeadType type = BeadType::issue;
  BeadStatus status = BeadStatus::open;
  Instant status_since;
  std::string title;
  TextRef body;
  RigId rig_id;
  BeadId parent_bead_id;
  AgentId assignee_agent_bead_id;  ///< history, never a lock; may name `system`
  Priority priority = Priority::medium;
  std::vector<std::string> labels;
  std::string metadata = "{}";  ///< one canonical JSON object, free text to core
  int dispatch_attempts = 0;
  MaybeInstant last_dispatch_attempt_at;
  int attempts_cap = 0;  ///< the cap in force at the last dispatch (invariant 10); 0 before the first
  int review_rounds = 0;
  Instant ready_since;
  MaybeInstant last_unhook_at;
  std::string created_by;
  Instant created_at;
  Instant updated_at;
  MaybeInstant closed_at;
  std::shared_ptr<const BeadDetail> detail;  ///< immutable; replaced, never edited in place
};

enum class AgentRole { polecat, refinery, mayor };
enum class AgentStatus { idle, working, waiting, stalled, dead };
inline constexpr std::size_t kAgentStatuses = static_cast<std::size_t>(AgentStatus::dead) + 1;

struct Agent {
  AgentId agent_id;
  AgentRole role = AgentRole::polecat;
  RigId rig_id;
  std::string name;
  std::string identity;
  AgentStatus status = AgentStatus::idle;
  Instant status_since;
  BeadId current_hook_bead_id;
  RunId run_id;
  int dispatch_attempts = 0;
  MaybeInstant last_dispatch_attempt_at;
  MaybeInstant last_activity_at;
  std::string last_event_type;
  MaybeInstant last_event_at;
  std::vector<std::string> active_tools;
  MaybeInstant stalled_at;
  TextRef checkpoint;
  std::string status_message;
  MaybeInstant status_message_at;
  Instant created_at;
};

enum class RunKind { work, review, triage, mayor };
enum class RunState { requested, starting, running, ended };
enum class Outcome {
  done,
  changes_requested,
  no_done,
  task_failed,
  crashed,
  timed_out,
  lost,
  never_started,
  refused,
  stopped,
  evicted,
  not_logged_in,
  rate_limited
};

/// One dispatch of an agent on a bead.
struct Run {
  RunId run_id;
  AgentId agent_id;
  BeadId bead_id;
  RigId rig_id;
  RunKind kind = RunKind::work;
  RunState state = RunState::requested;
  Instant requested_at;
  MaybeInstant last_sign_at;
  std::optional<Outcome> outcome;  ///< known before the end when the agent said it (done) or a rule decided it
  MaybeInstant outcome_at;
  MaybeInstant ended_at;
  std::string exit_reason;
  std::string preset;
  std::int64_t tokens = 0;
  std::int64_t cost_micro_usd = 0;
  MaybeInstant stop_requested_at;
  std::string stop_rule;
  std::optional<Outcome> stop_outcome;  ///< what the run will have ended with when the stop is confirmed
  bool tombstone = false;               ///< not to be started any more, whatever is still under way
  bool requested_changes = false;
  bool probe = false;        ///< let through an open breaker
  bool forced_stop = false;  ///< G3 has stopped it once
  std::string branch;        ///< evidence: what its done named
  std::string commit;
};

enum class Strategy { direct, pr };
enum class Verdict { none, approved, changes };
enum class ReviewResult { none, merged, failed, conflict, superseded, cancelled, rounds_exhausted };

/// What a merge request carries beside its bead.
struct Review {
  BeadId bead_id;
  std::string branch;
  std::string target_branch;
  std::string commit;     ///< the tip of `branch` when the work was handed in; empty when unknown
  BeadId source_bead_id;  ///< the issue, or for a landing request the convoy
  AgentId source_agent_id;
  RunId source_run_id;
  std::string pr_url;
  Strategy strategy = Strategy::direct;
  Verdict verdict = Verdict::none;
  ReviewResult result = ReviewResult::none;
  std::string base_commit;     ///< the target's tip that the trial was made on
  std::string claimed_commit;  ///< what the refinery says is the merged result; nothing is merged by it
  std::string merge_commit;    ///< proven to be reachable from the target
  std::string evidence;        ///< commit, `forge`, a person's name, or `loaded` (invariant 12)
  RunId trial_run_id;
  std::string held_why;     ///< why the landing is held back; empty when it is not
  bool held_alone = false;  ///< … for what this request is: the rig's others go on
  bool reviewed = false;    ///< a coding agent approves of the work: what is left is to try it
  MaybeInstant verifying_since;
  MaybeInstant last_verify_at;
  int verify_tries = 0;
  BeadId batch_head;
  MaybeInstant pr_changed_at;
  MaybeInstant last_poll_at;
  MaybeInstant last_poll_answer_at;
  int poll_transient_count = 0;
  int poll_non_transient_count = 0;
  std::string poll_error_kind;
  bool checks_pending = false;
  std::string pr_head;
  std::string review_decision;
  std::string merge_state_status;
  bool awaiting_approval = false;
  MaybeInstant awaiting_approval_observed_at;
  bool has_conflicts = false;
  MaybeInstant conflicts_detected_at;
  bool auto_merge_pending = false;
  MaybeInstant merge_requested_at;
  MaybeInstant auto_merge_ready_since;
  bool told_waiting = false;          ///< Q4 has escalated once
  bool retry_refused = false;         ///< the forge refused it, and something about the rig has changed since (R4)
  std::string published_commit;       ///< where the pull request's branch was last known to be
  MaybeInstant published_at;          ///< when townd last moved it there
  MaybeInstant publish_asked_at;      ///< not answered yet, or answered with a failure that may pass
  int publish_tries = 0;              ///< without an answer that helped
  std::vector<std::string> answered;  ///< review threads that the work handed in since is the answer to
  std::string merge_refused;          ///< why the forge did not merge it when it was last asked to; empty: it was not
  int merge_refusals = 0;             ///< in a row, of this head
  std::string failure_reason;
  std::string failure_kind;
  std::string failure_message;
};

enum class MergeMode { review_then_land, review_and_merge };
enum class OnFailedChild { go_on, hold, fail };

struct LandingAttempts {
  RigId rig_id;
  int attempts = 0;
  MaybeInstant last_attempt_at;
  int suppressed_attempt = 0;  ///< the attempt for which a respawn was last suppressed (C4a)
  friend bool operator==(const LandingAttempts&, const LandingAttempts&) = default;
};

/// What a convoy carries beside its bead.
struct Convoy {
  BeadId bead_id;
  int total_beads = 0;
  int closed_beads = 0;  ///< written by C1 only
  std::string feature_branch;
  MergeMode merge_mode = MergeMode::review_then_land;
  bool staged = false;
  bool ready_to_land = false;
  std::vector<LandingAttempts> landings;  ///< in rig order
  MaybeInstant landed_at;
  OnFailedChild on_failed_child = OnFailedChild::go_on;
  std::string failure_reason;
  std::string failure_message;
};

enum class DependencyKind { blocks, tracks };

/// For `blocks`, `depends_on` blocks `bead`. For `tracks`, an issue tracks its convoy, a request its source.
struct Dependency {
  BeadId bead_id;
  BeadId depends_on_bead_id;
  DependencyKind kind = DependencyKind::blocks;
  friend auto operator<=>(const Dependency&, const Dependency&) = default;
};

enum class NudgeMode { immediate, wait_idle, queue };

struct Nudge {
  MessageId nudge_id;
  AgentId agent_id;
  std::string message;
  NudgeMode mode = NudgeMode::wait_idle;
  bool urgent = false;
  std::string source = "system";  ///< `reconciler:warn`, `reconciler:escalate`, an agent, a person
  Instant created_at;
  MaybeInstant expires_at;
  MaybeInstant delivering_since;
  MaybeInstant delivered_at;
  bool expired = false;
};

struct Mail {
  MessageId mail_id;
  AgentId from_agent_id;
  AgentId to_agent_id;
  RigId rig_id;
  std::string subject;
  TextRef body;
  Instant created_at;
  MaybeInstant delivering_since;
  MaybeInstant delivered_at;
  bool undeliverable = false;
};

/// Opens on failures in a row, lets one probe through at a time, closes on a run that ended well (domain.md §4).
struct Breaker {
  MaybeInstant opened_at;  ///< set while open
  MaybeInstant closed_at;
  bool told = false;
  RunId probe;
  MaybeInstant last_probe_at;  ///< the end of the last probe
  int failures_in_a_row = 0;   ///< of a rig
  friend bool operator==(const Breaker&, const Breaker&) = default;
};

/// What a repository decides for itself; unset falls back to the town's setting.
struct RigConfig {
  std::vector<std::string> gates;  ///< shell commands; all must succeed before a merge
  bool no_gates = false;           ///< the owner said that it has none
  std::string setup;               ///< shell command that prepares a fresh clone
  std::vector<std::string> copy;   ///< untracked regular files put into each clone
  std::string target;              ///< branch that work lands on; empty is the default branch
  std::string push_remote;         ///< where landed work is pushed to; empty is nowhere
  std::string sandbox = "bwrap";   ///< `bwrap` or `none`
  std::string polecat_preset;
  std::string refinery_preset;
  std::optional<Strategy> merge_strategy;
  std::optional<MergeMode> convoy_merge_mode;
  std::optional<int> max_polecats;
  std::optional<int> max_dispatch_attempts;
  std::optional<int> max_batch;  ///< requests that are merged and gated together at most
  std::optional<bool> code_review;
  std::optional<bool> auto_resolve_pr_feedback;
  std::optional<bool> auto_resolve_merge_conflicts;
  bool has_auto_merge_delay = false;  ///< an explicit "never" overrides the town too
  std::optional<int> auto_merge_delay_minutes;
  bool without_checks = false;  ///< its pull requests have no checks, so none are waited for
};

/// What a gate has done in trials so far.
struct GateRecord {
  std::string gate;
  int reds = 0;    ///< trials that it ended
  int flakes = 0;  ///< … and that turned out not to be the work's fault
  friend bool operator==(const GateRecord&, const GateRecord&) = default;
};

/// Requests of which at least one breaks a gate, in the order in which they were tried.
struct Suspects {
  std::string target_branch;
  std::string gate;
  std::vector<BeadId> requests;
  bool some_left = false;  ///< whoever is to blame may be gone
  friend bool operator==(const Suspects&, const Suspects&) = default;
};

/// A trial that is made on top of what another will land if it is green.
struct TrialAhead {
  BeadId head;  ///< of its batch; empty once the other has landed, or when there is none
  BeadId of;    ///< the head of the other batch
  RunId on;     ///< the other trial: nothing else is tried on top of it
  friend bool operator==(const TrialAhead&, const TrialAhead&) = default;
};

/// What a rig's merge queue remembers of its trials.
struct MergeQueue {
  std::vector<Suspects> suspects;  ///< at most one for each target
  std::vector<GateRecord> gates;
  int tried = 0;              ///< requests judged lately …
  int culprits = 0;           ///< … and sent back
  int without_landing = 0;    ///< trials since the last landing, or since the target was last found sound
  int blamed = 0;             ///< requests sent back since then
  std::int64_t trial_ms = 0;  ///< what a trial takes, on average
  MaybeInstant paused_since;
  std::string paused_reason;
  BeadId escalation;  ///< in which a person was told of it
  TrialAhead ahead;
  std::string sound_commit;  ///< the last one on which the gates are known to pass
  friend bool operator==(const MergeQueue&, const MergeQueue&) = default;
};

struct Rig {
  RigId rig_id;
  std::string name;
  std::string git_url;
  std::string default_branch = "main";
  std::string broken_reason;  ///< empty when usable
  MaybeInstant broken_since;
  bool setup_failed = false;     ///< why it is broken; only another setup can help, so nothing checks it again
  std::string untrusted_reason;  ///< a change of `.town/` that nobody has trusted yet
  RigConfig config;
  Breaker breaker;
  MergeQueue queue;
  Instant created_at;
  MaybeInstant forge_rests_until;  ///< its forge asked to be left alone until then
  MaybeInstant hook_heard_at;      ///< its forge tells by itself what changes; to the hour
};

/// The constants of domain.md §7, all under `[reconciler]`.
struct Constants {
  Duration heartbeat = seconds(30);
  Duration heartbeat_stale = seconds(90);
  Duration never_started = seconds(180);
  Duration not_found_grace = seconds(180);
  Duration resync = seconds(60);
  Duration lost_agent = minutes(5);
  Duration lost_agent_after_run = seconds(30);
  Duration orphaned_source = minutes(5);
  Duration abandoned_review = minutes(2);
  Duration stuck_review = minutes(30);
  Duration orphaned_pr = minutes(30);
  Duration poll = seconds(60);
  Duration merge_retry = minutes(5);
  Duration verify_retry = seconds(60);
  int verify_tries = 5;
  Duration idle_run = seconds(15);
  Duration stop_unconfirmed = minutes(10);
  Duration gupp_warn = minutes(15);
  Duration gupp_escalate = hours(1);
  Duration gupp_force_stop = hours(2);
  Duration gupp_repeat = minutes(60);
  int gupp_active_tools_factor = 3;
  Duration stalled_release = minutes(150);
  Duration gc_agents = hours(24);
  Duration gc_beads = days(14);
  int max_dispatch_attempts = 5;
  Duration attempts_reset = minutes(30);
  std::vector<Duration> backoff = {seconds(30), minutes(1), minutes(2), minutes(5), minutes(10)};
  int breaker_town = 20;
  int breaker_rig = 5;
  Duration breaker_window = minutes(30);
  Duration breaker_probe = minutes(5);
  int landing_attempts = 5;
  Duration landing_backoff = seconds(30);
  Duration landing_backoff_max = minutes(30);
  Duration drain = minutes(7);
  int triage_cap = 5;
  int triage_batch = 20;
  Duration triage_delay = seconds(30);
  Duration triage_backoff_max = hours(1);
  int triage_failures = 3;
  Duration escalation_step = hours(4);
  int escalation_max = 3;
  int review_rounds = 5;
  Duration rate_limited = minutes(15);
  Duration late_done = hours(24);
  Duration rig_check = minutes(10);
  int poll_transient_limit = 10;
  int poll_malformed_limit = 3;
  Duration ageing = hours(2);  ///< what one step of priority is worth in waiting time
  Duration delivery_timeout = seconds(60);
};

/// A town's settings, as far as rules read them. `version` counts the changes.
struct TownConfig {
  int version = 1;
  Constants constants;
  Strategy merge_strategy = Strategy::direct;
  bool staged_convoys_default = false;
  MergeMode convoy_merge_mode = MergeMode::review_then_land;
  bool code_review = true;
  bool auto_merge = true;
  bool auto_resolve_pr_feedback = false;
  bool auto_resolve_merge_conflicts = true;
  std::optional<int> auto_merge_delay_minutes;
  int max_polecats = 5;
  int runs_per_day = 200;
  std::optional<std::int64_t> micro_usd_per_day;
  std::string polecat_preset = "claude";
  std::string refinery_preset = "refine";
  std::string mayor_preset = "claude";
};

struct PresetState {
  std::string preset;
  bool usable = true;
  std::string reason;
  MaybeInstant limited_until;
  friend bool operator==(const PresetState&, const PresetState&) = default;
};

/// Facts about the machine; they enter only by the event `node_changed`.
struct NodeFacts {
  int slots = 16;
  bool disk_low = false;
  bool runtime_reachable = true;
  MaybeInstant runtime_since;        ///< since when `runtime_reachable` has its value
  std::vector<PresetState> presets;  ///< in name order
  friend bool operator==(const NodeFacts&, const NodeFacts&) = default;
};

/// The one row of the town itself.
struct TownRow {
  TownId town_id;
  std::string name;
  std::string prefix;  ///< 2–6 of [a-z]; made ids are `<prefix>-<n>`
  std::int64_t next_id = 1;
  std::int64_t next_effect = 1;  ///< numbers the outbox's keys
  MaybeInstant draining_since;
  bool paused = false;
  std::string paused_reason;
  MaybeInstant observed_since;
  Breaker breaker;
  NodeFacts node;
  int triage_failures = 0;
  MaybeInstant triage_failed_at;
  bool triage_escalated = false;
  int polecats_named = 0;
  BeadId runs_escalation;  ///< told people that runs_per_day is spent; empty when it was free since
  BeadId usd_escalation;   ///< likewise usd_per_day
  TownConfig config;
};

}  // namespace townd
