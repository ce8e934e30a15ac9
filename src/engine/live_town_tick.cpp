#include <algorithm>
#include <chrono>
#include <utility>

#include "core/invariant.hpp"
#include "engine/live_town.hpp"

/// The tick of one town, its commit, and what becomes of both.
namespace townd {
namespace {

/// Microseconds of the clock on the wall.
class Stopwatch {
 public:
  /// Since the last lap, or the start.
  std::int64_t lap() { return since(std::exchange(lap_, Clock::now())); }
  [[nodiscard]] std::int64_t total() const { return since(start_); }

 private:
  using Clock = std::chrono::steady_clock;
  static std::int64_t since(Clock::time_point from) {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - from).count();
  }
  const Clock::time_point start_ = Clock::now();
  Clock::time_point lap_ = start_;
};

/// A tick that only heard signs of life, and decided nothing by them, leaves nothing to remember.
bool worth_writing(const TickInput& input, const TickResult& result) {
  if (!input.missed.empty()) return true;
  if (!result.events.empty() || !result.violations.empty()) return true;
  const Outbox& out = result.outbox;
  if (!out.effects.empty() || !out.history.empty() || !out.texts.empty()) return true;
  if (!result.decisions.empty()) return true;
  return !result.changed.empty() && input.life.empty();
}

}  // namespace

TickRecord LiveTown::record_of(const TickInput& input, const TickResult& result, std::string_view trigger,
                               const std::vector<StoredEffect>& outcomes) const {
  TickRecord record;
  record.number = next_tick_;
  record.at = input.now;
  record.trigger = trigger;
  Life life = carried_life_;
  life.hear(input.life);
  record.life = life.all();
  record.missed = input.missed;
  record.config_version = town.config().version;
  note_result(record, result);
  for (const StoredEffect& outcome : outcomes) {
    if (outcome.state == EffectState::done) ++record.effects_succeeded;
    if (outcome.state == EffectState::failed) ++record.effects_failed;
  }
  record.pending_events = static_cast<int>(waiting_.size());
  return record;
}

Resync::Found LiveTown::resync(Instant now) {
  constexpr std::size_t kStride = 64;  // rows between two looks at the time
  constexpr int kRounds = 60;          // resyncs in which the whole town is looked at, if time allows
  constexpr std::chrono::microseconds kSlice{1'000};
  Resync::Found found;
  const std::size_t share = (town.bead_count() + town.agent_count()) / kRounds + kStride;
  const auto over = std::chrono::steady_clock::now() + kSlice;
  for (std::size_t looked = 0; looked < share && std::chrono::steady_clock::now() < over; looked += kStride)
    if (resync_.look(town, now, kStride, found)) break;
  return found;
}

void LiveTown::plan_next(const TickResult& result, Instant now, std::string_view trigger) {
  last_tick_at_ = now;
  // A rule that waits for a moment that is over would have the engine tick without an end.
  next_due_ = std::max(result.next_due, now + Duration{1});
  follow_up_ = result.follow_up;
  if (!follow_up_ || trigger != "follow_up") {
    follow_ups_ = 0;
  } else if (follow_ups_ >= kFollowUpLimit) {
    follow_ups_ = 0;  // a pause is over; a new series begins
  }
  if (!follow_up_) return;
  if (++follow_ups_ < kFollowUpLimit) {
    settle_at_ = now;
  } else {
    settle_at_ = now + kSettlePause;
    unsettled_ = true;
  }
}

void LiveTown::keep_for_later(TickResult result, const std::vector<SignOfLife>& life) {
  carried_life_.hear(life);
  carried_rows_.insert(result.changed.begin(), result.changed.end());
  town.settle();
}

std::optional<TownCommit> LiveTown::tick_once(Instant now, std::string_view trigger, Batch& batch) {
  Stopwatch watch;
  PhaseTimes phases;
  Resync::Found found;
  if (trigger == "resync") found = resync(now);
  if (std::exchange(unchecked_, false)) found.broken = check_all_rows(town);
  TickInput input{now, life_.all(), {}, std::move(found.missed), std::move(found.broken)};
  input.events.swap(batch.events);
  input.phase_ended = [&](Phase phase) {
    (phase == Phase::drain ? phases.drain : phase == Phase::reconcile ? phases.reconcile : phases.digest) = watch.lap();
  };
  watch.lap();
  const bool first_signs = std::exchange(life_matters_, false);
  life_.clear();
  const bool made_now = std::exchange(new_town_, false);

  slots_wanted.reset();
  TickResult result;
  try {
    result = tick(town, input);
  } catch (...) {
    batch.events.swap(input.events);
    throw;
  }
  plan_next(result, now, trigger);
  if (!worth_writing(input, result) && !first_signs && !made_now) {
    outcomes_.insert(outcomes_.begin(), batch.outcomes.begin(), batch.outcomes.end());
    keep_for_later(std::move(result), input.life);
    quiet_ = {watch.total(), std::move(input.life)};
    return std::nullopt;
  }

  TownCommit commit;
  commit.town_id = id;
  Flight flight;
  for (const Event& event : input.events)
    if (const auto* unheard = std::get_if<events::ObservationGap>(&event.body)) flight.unheard_from = unheard->from;
  commit.events = std::move(input.events);
  if (!batch.recorded.empty())
    std::erase_if(commit.events, [&](const Event& event) { return batch.recorded.contains(event.seq); });
  commit.processed = result.events;
  std::set<RowKey> keys = std::exchange(carried_rows_, {});
  keys.insert(result.changed.begin(), result.changed.end());
  for (const RowKey& key : keys) commit.rows.push_back({key, row_image(town, key)});
  commit.history = result.outbox.history;
  commit.texts = result.outbox.texts;
  commit.effects = result.outbox.effects;
  commit.outcomes = batch.outcomes;

  TickRecord record = record_of(input, result, trigger, batch.outcomes);
  phases.rows = watch.lap();
  record.phases_us = phases;
  record.wall_us = watch.total();
  flight.record = std::make_shared<const TickRecord>(std::move(record));
  commit.tick = flight.record;
  carried_life_.clear();
  flight.batch = std::move(batch);
  flight.result = std::move(result);
  flight.creation = std::exchange(creation_, {});
  ++next_tick_;
  flight_ = std::move(flight);
  state = State::in_flight;
  return commit;
}

TownCommit LiveTown::outcomes_only() {
  TownCommit commit;
  commit.town_id = id;
  commit.outcomes = std::exchange(outcomes_, {});
  Flight flight;
  flight.batch.outcomes = commit.outcomes;
  flight_ = std::move(flight);
  state = State::in_flight;
  return commit;
}

Flight LiveTown::landed() {
  town.settle();
  state = State::ready;
  Flight flight = std::move(*std::exchange(flight_, {}));
  if (flight.record) last_record_ = flight.record;
  return flight;
}

Flight LiveTown::crashed() {
  town.rollback(0);
  town.settle();
  Flight flight = std::move(*std::exchange(flight_, {}));
  // That nobody listened for a while was not written down either, and is as true as before.
  if (flight.unheard_from) {
    gap_ = true;
    last_tick_at_ = std::min(last_tick_at_, *flight.unheard_from);
  }
  // The rows that heard these signs are read again from the store, which may never have seen them.
  if (flight.record) life_.hear(flight.record->life);
  // What an effect found out is found out again when the effect is: it is still in the outbox.
  std::vector<Submission>& facts = flight.batch.facts;
  for (auto fact = facts.rbegin(); fact != facts.rend(); ++fact)
    if (!fact->outcome) waiting_.emplace_front(std::move(*fact));
  return flight;
}

}  // namespace townd
