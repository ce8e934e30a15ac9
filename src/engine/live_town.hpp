#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/resync.hpp"
#include "core/town.hpp"
#include "engine/inbox.hpp"
#include "engine/life.hpp"
#include "engine/slots.hpp"

namespace townd {

/// A fact on its way into a town.
struct Submission {
  EventBody body;
  Engine::Answered answered;            ///< who asked for it; empty for what was found out by the engine itself
  std::optional<StoredEffect> outcome;  ///< of the effect that found it out, stored with it
  Engine::MakeFact make;                ///< of the body, for a request that depends on the state which it meets
};

/// What a tick is given, and who waits for it.
struct Batch {
  struct Asker {
    std::int64_t seq = 0;
    Engine::Answered answered;
  };
  std::vector<Event> events;        ///< until they are handed to the tick
  std::set<std::int64_t> recorded;  ///< events among them that the store has already
  std::vector<Asker> askers;
  std::vector<Submission> facts;  ///< to be said again when the commit fails
  std::vector<StoredEffect> outcomes;
};

/// A tick whose commit the store has in its hands.
struct Flight {
  Batch batch;
  TickResult result;
  std::shared_ptr<const TickRecord> record;  ///< null: only outcomes of effects were written
  MaybeInstant unheard_from;                 ///< it said that nobody had listened since then
  std::optional<Engine::Answered> creation;
};

/// One town in memory: what waits for its next tick, the tick, and its commit. At most one commit is in flight; what
/// arrives meanwhile waits and goes into the next tick together.
class LiveTown {
 public:
  LiveTown(TownId id, LoadedTown loaded);
  /// A town that is made now; its first commit writes its row.
  LiveTown(TownId id, TownRow row, Engine::Answered answered);

  enum class State {
    ready,
    in_flight,
    unreadable,   ///< a commit failed and the store has not been read again yet
    quarantined,  ///< its tick threw, or it could not be read at the start
  };

  // ---- what waits ----
  void submit(Submission submission) { waiting_.emplace_back(std::move(submission)); }
  /// The end of a process: what it means is decided when everything before it has been applied.
  void submit(Observation exited) { waiting_.emplace_back(std::move(exited)); }
  void hear(const SignOfLife& sign);
  void store_outcome(StoredEffect outcome) { outcomes_.push_back(std::move(outcome)); }
  [[nodiscard]] std::int64_t last_tick() const { return next_tick_ - 1; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] bool has_outcomes() const { return !outcomes_.empty(); }
  /// Nothing waits, runs or is in doubt, and the store has all of it.
  [[nodiscard]] bool quiet() const { return quiet_but_for_restart() && !gap_; }
  [[nodiscard]] bool quiet_but_for_restart() const;
  /// Nobody may rely on silence before now, and a drain for the instance before is over: said first in the next tick.
  void notice_restart() { gap_ = restarted_ = true; }

  // ---- when to tick ----
  /// Why it should tick at `now`: a trigger of TickRecord, or empty.
  [[nodiscard]] std::string_view trigger(Instant now) const;
  /// When `trigger` will answer something if nothing is submitted.
  [[nodiscard]] Instant due() const;
  /// The tick after one that left something over belongs to the same instant.
  [[nodiscard]] Instant tick_time(Instant now, std::string_view trigger) const;

  // ---- a tick ----
  /// Says what an ended process is as a fact, or none when it is not one.
  using EndOfRun = std::function<std::optional<EventBody>(const Town&, const Observation&)>;
  /// Takes what waits, each request validated against the committed state; the tick validates it once more against what
  /// came before it. Those refused here are answered and leave nothing. When it throws, `batch` has those taken so far
  /// and the others still wait.
  void take_batch(Batch& batch, Instant now, const EndOfRun& end_of_run);
  /// What a tick would be given now, with nothing taken.
  [[nodiscard]] TickInput foresee(Instant now);
  /// Ticks. Answers what to commit, or nothing when nothing happened that is worth writing. When it throws, `batch` is
  /// as it was.
  std::optional<TownCommit> tick_once(Instant now, std::string_view trigger, Batch& batch);
  /// What the last tick was of which nothing is remembered.
  struct Quiet {
    std::int64_t wall_us = 0;
    std::vector<SignOfLife> life;
  };
  [[nodiscard]] const Quiet& last_quiet() const { return quiet_; }
  /// A commit of what effects came to, when there is nothing to tick for.
  TownCommit outcomes_only();

  // ---- after the store's answer ----
  Flight landed();
  /// Takes everything back that the store did not take. What the engine found out itself waits again.
  Flight crashed();
  void reload(LoadedTown loaded);
  void quarantine(std::string why);
  void lose(std::string why, Instant retry_at);

  /// Keys of effects whose outcome waits to be written.
  [[nodiscard]] std::set<std::string> outcomes_waiting() const;
  /// Takes everybody who waits for an answer.
  std::vector<Engine::Answered> dismiss();

  [[nodiscard]] Engine::View view(Instant now) const;
  /// Ticks followed one another without an end; the rest waits. Answers true once for each such series.
  bool take_unsettled();

  const TownId id;
  Town town;
  State state = State::ready;
  Instant used_at;               ///< when somebody last named it
  Instant planned_for = kNever;  ///< when the engine looks at it although nothing happens
  std::string why_not;           ///< of a town that is not run
  Instant retry_at;              ///< of an unreadable one
  int retries = 0;
  std::map<std::string, StoredEffect> in_doubt;  ///< by key
  std::deque<std::variant<inbox::Look, inbox::DryRun>> readers;
  std::set<RunId> reminded;
  std::int64_t snapshot_tick = 0;  ///< of its newest snapshot; 0 when there is none
  Instant snapshot_at;
  Instant snapshot_again_at;         ///< not before this after a failure
  NodeFacts node_said;               ///< the last that was submitted
  std::int64_t slots_given = 0;      ///< when its share of the node last grew, as a count
  bool slots_used = true;            ///< something has run since then
  std::optional<int> slots_wanted;   ///< counted once for each state that it is in
  std::optional<SlotUse> shared_as;  ///< for what the shares were made; empty when it was not asked

 private:
  using Waiting = std::variant<Submission, Observation>;

  void load(LoadedTown loaded);
  [[nodiscard]] bool listening_lapsed(Instant now) const;
  void add_gap(Batch& batch, Instant now);
  [[nodiscard]] Instant drain_ends() const;  ///< kNever when it is not draining
  [[nodiscard]] Resync::Found resync(Instant now);
  /// What a submission says, or why it is refused.
  [[nodiscard]] expected<EventBody> fact_of(const Submission& submission, Instant now) const;
  void accept(Batch& batch, Submission& submission, Instant now, bool look_ahead);
  void keep_for_later(TickResult result, const std::vector<SignOfLife>& life);
  TickRecord record_of(const TickInput& input, const TickResult& result, std::string_view trigger,
                       const std::vector<StoredEffect>& outcomes) const;
  void plan_next(const TickResult& result, Instant now, std::string_view trigger);

  std::deque<Waiting> waiting_;
  std::vector<Event> recorded_;  ///< from the store: arrived before a stop, not processed
  std::vector<StoredEffect> outcomes_;
  Life life_;
  bool life_matters_ = false;  ///< a sign that changes more than a time
  bool gap_ = false;
  bool restarted_ = false;
  bool unchecked_ = true;  ///< its rows have come from the store, and no tick has said whether they are sound
  Resync resync_;
  Quiet quiet_;
  Life carried_life_;  ///< of ticks that wrote nothing
  std::set<RowKey> carried_rows_;
  bool new_town_ = false;

  std::int64_t next_seq_ = 1;
  std::int64_t next_tick_ = 1;
  Instant last_tick_at_;
  std::shared_ptr<const TickRecord> last_record_;
  Instant next_due_;  ///< the agenda's top; zero before the first tick
  bool follow_up_ = false;
  int follow_ups_ = 0;  ///< in a row
  Instant settle_at_;   ///< when a series without an end goes on
  bool unsettled_ = false;
  std::optional<Flight> flight_;
  std::optional<Engine::Answered> creation_;
};

}  // namespace townd
