#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/image.hpp"
#include "core/record.hpp"

namespace townd {

/// What a replay tries to be different.
struct Variation {
  std::function<void(Town&)> change;       ///< at the start; empty for none
  std::set<std::int64_t> dropped;          ///< facts that did not happen, by seq
  std::vector<std::string> without_rules;  ///< rules that are not asked
  [[nodiscard]] bool empty() const { return !change && dropped.empty() && without_rules.empty(); }
};

/// Where a tick that was decided again is not what was recorded, both sides in full.
struct Difference {
  std::string what;  ///< `events`, `decisions`, `violations`, `effects` or `digest`: the first of them that differs
  TickRecord recorded;
  TickRecord replayed;  ///< the same with what it came to now
};

std::optional<Difference> difference(const TickRecord& recorded, const TickResult& replayed);

/// Decides recorded ticks again, with their recorded time, facts and signs of life, and nothing else: no decision is
/// read from the record. What it decides is not carried out.
class Replay {
 public:
  /// `start` is the town after the tick before the first one that follows.
  explicit Replay(Town start, Variation variation = {});

  /// A tick as it went now. Number 0: at this moment none was recorded (only in a variation).
  struct Again {
    std::int64_t number = 0;
    Instant at;
    TickResult result;
  };
  /// The next recorded tick; in a variation also what falls due before it. What is due at `late` was not decided before
  /// this tick as it was either: the town was busy.
  std::vector<Again> next(const RecordedTick& tick, Instant late = kNever);
  /// What falls due until `until`, but not at `late`, when nothing else happens but that these are heard.
  std::vector<Again> let_pass(Instant until, Instant late, const std::vector<SignOfLife>& life = {});
  /// When it decides again if nothing happens; kNever for not.
  [[nodiscard]] Instant due() const;
  /// Before the first tick: finds out when it decides something if nothing happens. The town was left at this moment.
  void look_ahead(Instant left_at);
  /// A variation has had as many ticks of its own as it gets: it keeps the town busy.
  [[nodiscard]] bool endless() const { return own_ticks_ >= kOwnTicks; }

  static constexpr int kOwnTicks = 10'000;

  [[nodiscard]] const Town& town() const { return town_; }

 private:
  TickResult decide(TickInput input);

  Town town_;
  const Variation variation_;
  Instant next_due_ = kNever;
  bool follow_up_ = false;
  Instant now_;
  int own_ticks_ = 0;  ///< at moments at which nothing was recorded
};

// ---- a stretch of the past ---------------------------------------------------------------------------------------

/// Both inclusive, over the arrival of facts and the time of ticks.
struct Window {
  Instant from;
  Instant to;
};

/// Whether a recorded tick belongs to the stretch or lies before it: not behind its end, or with a fact of it.
bool reached(const Window& window, const RecordedTick& tick);

/// That ticks are not there any more.
Error missing_ticks(std::int64_t first, std::int64_t last);

/// Recorded ticks behind a number, oldest first, a page at a time; none when there are no more.
using RecordSource = std::function<expected<std::vector<RecordedTick>>(std::int64_t after)>;

struct DecidedTick {
  std::int64_t number = 0;
  Instant at;
  std::vector<Decided> decisions;
};

/// A tick that is decided otherwise now: by a variation, or by another townd than the one that recorded it.
struct DifferingTick {
  std::int64_t number = 0;  ///< 0: at this moment none was recorded
  Instant at;
  std::vector<Decided> as_it_was;
  std::vector<Decided> instead;
};

/// Ticks with decisions that a rerun tells at most; what is left out is counted.
inline constexpr std::size_t kRerunShows = 10'000;

struct Rerun {
  std::int64_t from_tick = 0;  ///< it began after this one
  std::int64_t ticks = 0;      ///< run again, those before the window included
  std::int64_t events = 0;     ///< that arrived in the window
  std::optional<Difference> first_difference;
  std::vector<DifferingTick> otherwise;  ///< ticks of the window whose decisions are not those recorded
  std::vector<DecidedTick> decided;      ///< ticks of the window that decided something, as it was
  std::vector<DifferingTick> differing;  ///< of a variation
  std::vector<std::pair<std::int64_t, HistoryRow>> history;  ///< of the window: what was done to beads, by which tick
  /// How many were not taken into each list.
  struct LeftOut {
    std::int64_t otherwise = 0, decided = 0, differing = 0, history = 0;
  } left_out;
  Town before;                         ///< when the window begins
  Town town;                           ///< at the window's end, as it was
  std::optional<Town> instead;         ///< and in the variation
  std::set<std::int64_t> not_dropped;  ///< facts to be dropped that were not among those run again
  bool endless = false;                ///< the variation was busier than a rerun follows
};

/// Where a rerun begins.
struct RerunStart {
  std::int64_t tick = 0;  ///< the last one before it
  Instant at;             ///< when that was
  Town town;              ///< after it
};

/// Runs again from `start` to the tick that drained the window's last fact, or the last one in the window. An error
/// when the record has a hole.
expected<Rerun> run_again(const RerunStart& start, const RecordSource& source, const Window& window,
                          Variation variation = {});

}  // namespace townd
