#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/tick.hpp"
#include "core/town.hpp"

namespace townd {

/// The status table of domain.md §1 in one place. `reopen` marks the one way out of a terminal state.
bool may_change(BeadType type, BeadStatus from, BeadStatus to, bool reopen = false);
bool may_change(AgentRole role, AgentStatus from, AgentStatus to);

/// The changes that facts and corrections have in common, each written once. `by` is the rule or kind of event that
/// they are done for.
class Change {
 public:
  Change(Town& town, Instant now, Outbox& out, std::string_view by) : town_(town), now_(now), out_(out), by_(by) {}

  [[nodiscard]] Town& town() { return town_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Outbox& out() { return out_; }
  void note(std::string text) { out_.notes.push_back(std::move(text)); }

  // ---- beads ----
  /// The one function that changes a bead's status. False when the table has no such change; the same status is none.
  bool set_status(const BeadId& id, BeadStatus to, bool reopen = false);
  void assign(const BeadId& id, const AgentId& agent);
  /// Clears the assignee and unhooks whoever is hooked.
  void clear_assignee(const BeadId& id);
  void hold(const BeadId& id);
  /// A new bead with an id of the town, open, in history. Missing ids and times are filled in.
  BeadId create(Bead bead, std::string_view body = {});
  void history(const BeadId& bead, std::string_view type, std::string_view old_value, std::string_view new_value,
               const AgentId& agent = {});

  // ---- agents and runs ----
  bool set_status(const AgentId& id, AgentStatus to);
  void hook(const AgentId& agent, const BeadId& bead);
  void unhook(const AgentId& agent);
  /// Unhooks and makes a working, stalled or waiting agent idle.
  void let_go(const AgentId& agent);
  AgentId create_agent(AgentRole role, const RigId& rig);
  /// Out of the town. Its mail is told back to the senders by messages.deliver; nudges go with it.
  void remove(const AgentId& agent);
  /// Told to whoever asked, as what came of it.
  void answer(std::string id) { out_.created.push_back(std::move(id)); }
  /// The outcome is known; the process may still be there.
  void settle_run(const RunId& run, Outcome outcome);
  /// The process is gone. Counts attempts, breakers and presets; once for each run.
  void end_run(const RunId& run, Outcome outcome, std::string_view reason, MaybeInstant limited_until = {});
  void refund(const BeadId& bead);

  // ---- reviews ----
  /// A merge request for finished work, or the live one that there is for the same source and branch.
  BeadId submit(const BeadId& source, const Agent& agent, const events::AgentDone& done);
  BeadId create_request(Review review, const RigId& rig, Priority priority, std::string_view title,
                        std::string_view body, std::string_view created_by);
  /// One deduplicated rework-class bead that blocks the request; empty when there is one, or rounds are spent.
  BeadId create_rework(const BeadId& request, std::string_view label, std::string_view title, std::string_view feedback,
                       Rework detail);
  /// The verdict "changes" with a rework bead; the request itself stays where it is.
  void send_back(const BeadId& request, std::string_view feedback, std::vector<std::string> files);
  /// The run has asked for changes, and with that done what it was for.
  void sign_off(const RunId& run);
  /// A pull request that was found good here; its forge has the rest of the say.
  void approve_pr(const BeadId& request, std::string_view summary, const AgentId& by);
  /// Not landed, and nobody to blame: to the place in the merge queue that it had.
  void back_to_queue(const BeadId& request);
  /// Something about a batch keeps it from its target, and nobody knows whose fault it is: all go back to the queue,
  /// and the first half is tried next. Nothing happens to a request that was tried alone.
  void halve(const BeadId& head, std::string_view gate);
  /// Takes a batch apart. Answers the head and then its members, whose status is as it was.
  std::vector<BeadId> break_up(const BeadId& head);
  /// It is no suspect any more: it has ended, or is about to be deleted.
  void forget_suspect(const BeadId& request);
  /// The batch of `head` is tried on top of what the trial that `of` is at the head of will land.
  void try_ahead(const RigId& rig, const BeadId& head, const BeadId& of);
  /// The trial at whose head this request is does not land: what is tried on top of it goes back to the queue.
  void call_off_ahead(const BeadId& of);
  void merged(const BeadId& request, std::string_view evidence, std::string_view commit);
  /// The same for a request that had been given up: it stays failed, its source is closed.
  void merged_after_all(const BeadId& request, std::string_view commit);
  /// Not merged: failed or conflict. The source goes back to open, unassigned; a round is counted.
  void not_merged(const BeadId& request, ReviewResult result, std::string_view message);
  /// Fails the request only; the source is R4's.
  void fail_request(const BeadId& request, ReviewResult result, std::string_view reason, std::string_view kind,
                    std::string_view message);
  /// Ends every live request of a source.
  void end_requests(const BeadId& source, ReviewResult result, const BeadId& except = {});
  /// False when the source has no round left.
  bool count_round(const BeadId& source);
  void rounds_exhausted(const BeadId& request);
  /// Unhooks whoever reviews the request.
  void release_refinery(const BeadId& request);

  // ---- people ----
  BeadId escalate(Escalation escalation, const RigId& rig, std::string_view title);
  BeadId ask_triage(const AgentId& agent, std::string_view type, const BeadId& bead, const RunId& run,
                    std::string_view reason, std::vector<std::string> options = {});
  MessageId mail(const AgentId& from, const AgentId& to, const RigId& rig, std::string_view subject,
                 std::string_view body);

  // ---- leaving the process ----
  void effect(EffectBody body, std::string_view subject);
  TextRef text(std::string_view text);

 private:
  void close_merged(const BeadId& source, const BeadId& request);
  void after_status(BeadStatus before, const Bead& now);
  void leave_batch(const BeadId& request);
  void settle_ahead(const Bead& request);
  void leave_hook(const AgentId& agent, bool to_idle);
  void turn_to(Agent& agent, AgentStatus to) const;
  void count_attempt(const Run& run);
  void count_breakers(const Run& run);
  void count_preset(const Run& run, MaybeInstant limited_until);

  Town& town_;
  Instant now_;
  Outbox& out_;
  std::string by_;
};

/// A bead, its children and the requests for it, and theirs.
std::vector<BeadId> with_all_below(const Town& town, const BeadId& id);

/// Did a run end well, or in a way that a breaker counts?
bool ended_well(Outcome outcome);
bool counts_for_breakers(Outcome outcome);
/// One attempt of the bead is spent by it; every other outcome refunds it.
bool costs_attempt(Outcome outcome);

}  // namespace townd
