#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/action.hpp"
#include "core/effect.hpp"
#include "core/event.hpp"
#include "core/expected.hpp"
#include "core/rule.hpp"
#include "core/town.hpp"

namespace townd {

/// A line of a bead's history, for people; it never drives anything.
struct HistoryRow {
  BeadId bead_id;
  AgentId agent_id;
  std::string event_type;  ///< `status_changed`, `hooked`, `review_submitted`, … (reference-behaviour §a.6)
  std::string old_value;
  std::string new_value;
  std::string rule;  ///< or the event's kind that did it
  Instant at;
};

/// What a tick leaves for the outside, collected while facts and actions are applied.
struct Outbox {
  std::vector<Effect> effects;
  std::vector<HistoryRow> history;
  std::vector<std::pair<Hash128, std::string>> texts;  ///< bodies and checkpoints that the value names by hash
  std::vector<std::string> notes;                      ///< about the event just applied
  std::vector<std::string> created;                    ///< ids that the event just applied made, in order
};

/// `refused`: a request that something earlier in the same tick made impossible; nothing was changed, the note says
/// why, and whoever asked is told so.
enum class EventFate { applied, deferred, quarantined, refused };
struct EventOutcome {
  std::int64_t seq = 0;
  EventFate fate = EventFate::applied;
  std::string note;
  std::vector<std::string> created;  ///< ids that it made, in order: a convoy first, then its beads
  bool again = false;                ///< one that an earlier tick could not apply

  friend bool operator==(const EventOutcome&, const EventOutcome&) = default;
};

enum class ActionFate { applied, stale, refused };
struct Decided {
  std::string_view rule;
  Stage stage = Stage::agents;
  SubjectKey subject;
  std::vector<ActionBody> actions;
  ActionFate fate = ActionFate::applied;
  std::string why;  ///< for stale and refused
  AgentId chosen;   ///< the agent that applying a dispatch chose or made

  friend bool operator==(const Decided&, const Decided&) = default;
};

struct Violation {
  int invariant = 0;
  std::string subject;
  std::string message;
  std::string rule;  ///< of the refused decision; empty when found

  friend bool operator==(const Violation&, const Violation&) = default;
};

/// What a rule would act on although the agenda does not expect it (core/resync.hpp).
struct Missed {
  Stage stage = Stage::agents;
  SubjectKey subject;
};

/// Parts of a tick: facts and signs of life are applied; rules are asked, their actions applied and checked; what
/// changed is listed and hashed.
enum class Phase { drain, reconcile, digest };

struct TickInput {
  Instant now;
  std::vector<SignOfLife> life;       ///< folded, in agent order
  std::vector<Event> events;          ///< new ones, in the order of seq
  std::vector<Missed> missed;         ///< to be looked at too; in a sound town always empty
  std::vector<Violation> found = {};  ///< by whoever checked rows that no decision wrote; reported, and not acted on
  /// Rules that are not asked: of a replay that tries how it would have gone without them.
  std::vector<std::string> without_rules = {};
  /// Told when a part is over, for whoever measures: core knows no time but `now`.
  std::function<void(Phase)> phase_ended = {};
};

/// Whether what is in the way of this bead is in the way of its whole queue.
[[nodiscard]] bool stops_queue(const Decision& decision);

struct TickResult {
  std::vector<EventOutcome> events;
  std::vector<Decided> decisions;
  std::vector<Violation> violations;
  Outbox outbox;
  std::vector<std::size_t> effects_by;  ///< outbox.effects.size() after each decision, and before the first
  std::vector<RowKey> changed;
  Hash128 digest;
  Instant next_due = kNever;
  bool follow_up = false;  ///< something was touched that this tick could not look at: tick again at the same `now`
  [[nodiscard]] bool changed_anything() const { return !changed.empty() || !events.empty(); }
};

enum class Looking {
  agenda,      ///< at subjects that were touched or are due
  everything,  ///< at every subject with every rule: the reference that the agenda is tested against
};

/// How many ticks may follow one another at the same `now`, and how long the rest waits then (domain.md §4).
inline constexpr int kFollowUpLimit = 16;
inline constexpr Duration kSettlePause = seconds(1);

/// One pass: signs of life, events, rules, invariants. The edits stay undoable until `town.settle()`.
TickResult tick(Town& town, const TickInput& input, Looking looking = Looking::agenda);

/// Ticks at one `now` until nothing is left over, at most kFollowUpLimit times.
std::vector<TickResult> tick_until_settled(Town& town, const TickInput& input, Looking looking = Looking::agenda);

struct TimedTick {
  Instant at;
  TickResult result;
};
/// Ticks that a dry run looks ahead at most; what is due behind them is the last one's `next_due`.
inline constexpr std::size_t kForeseenTicks = 1'000;
/// The same, and what falls due by `until` when nothing else happens, undone again. Costs what the ticks touch.
std::vector<TimedTick> dry_run(Town& town, const TickInput& input, Instant until);

/// What refuses a request before it becomes an event: unknown ids, wrong states, cycles. Nothing is changed.
expected<void> validate(const Town& town, const EventBody& body, Instant now);

/// Applies one fact. Missing entities are notes; an error means that the fact cannot be applied now.
expected<void> apply_event(Town& town, const Event& event, Instant now, Outbox& out);
void apply_sign_of_life(Town& town, const SignOfLife& sign, Outbox& out);

/// Checks every invariant on every row.
std::vector<Violation> check_everything(const Town& town, Instant now);

}  // namespace townd
