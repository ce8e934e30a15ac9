#include "engine/live_town.hpp"

#include <algorithm>
#include <utility>

namespace townd {
namespace {

/// How many facts one tick takes at most, so that one town's flood does not keep the others waiting.
constexpr std::size_t kBatch = 1'000;

bool is_agents_first_sign(const Town& town, const SignOfLife& sign) {
  const Agent* agent = town.agent(sign.agent_id);
  if (agent == nullptr) return false;
  if (agent->status == AgentStatus::idle) return true;
  const Run* run = town.run(sign.run_id ? sign.run_id : agent->run_id);
  return run != nullptr && (run->state == RunState::requested || run->state == RunState::starting);
}

}  // namespace

LiveTown::LiveTown(TownId town_id, LoadedTown loaded) : id(std::move(town_id)) { load(std::move(loaded)); }

LiveTown::LiveTown(TownId town_id, TownRow row, Engine::Answered answered)
    : id(std::move(town_id)), new_town_(true), creation_(std::move(answered)) {
  town.put(std::move(row));
  for (RowKey& key : town.changed_since(0)) carried_rows_.insert(std::move(key));
  town.settle();
  node_said = town.row().node;
}

void LiveTown::load(LoadedTown loaded) {
  town = town_of(std::move(loaded.image));
  unchecked_ = true;
  recorded_ = std::move(loaded.pending);
  next_seq_ = loaded.next_seq;
  next_tick_ = loaded.next_tick;
  last_tick_at_ = loaded.last_tick_at;
  snapshot_tick = loaded.snapshot_tick;
  snapshot_at = loaded.snapshot_at;
  node_said = town.row().node;
  next_due_ = Instant{};  // everything is touched
  follow_up_ = false;
  follow_ups_ = 0;
  carried_rows_.clear();
  carried_life_.clear();
  new_town_ = false;
  in_doubt.clear();
  slots_wanted.reset();
  shared_as.reset();
  for (StoredEffect& effect : loaded.outbox)
    if (effect.state == EffectState::unknown) in_doubt.emplace(effect.effect.key, effect);
}

void LiveTown::hear(const SignOfLife& sign) {
  life_.hear(sign);
  if (is_agents_first_sign(town, sign)) life_matters_ = true;
}

bool LiveTown::quiet_but_for_restart() const {
  return state == State::ready && waiting_.empty() && recorded_.empty() && outcomes_.empty() && readers.empty() &&
         in_doubt.empty() && reminded.empty() && life_.empty() && carried_life_.empty() && carried_rows_.empty() &&
         !new_town_ && !follow_up_ && town.live_runs().empty() && !town.row().draining_since;
}

bool LiveTown::listening_lapsed(Instant now) const {
  const bool ticked_before = next_tick_ > 1;
  if (gap_) return ticked_before;
  return ticked_before && !town.live_runs().empty() && now - last_tick_at_ > town.constants().resync * 2;
}

Instant LiveTown::drain_ends() const {
  const MaybeInstant since = town.row().draining_since;
  if (!since) return kNever;
  return restarted_ ? *since : *since + town.constants().drain;
}

std::string_view LiveTown::trigger(Instant now) const {
  if (!waiting_.empty() || !recorded_.empty() || life_matters_ || new_town_ || (gap_ && listening_lapsed(now)) ||
      now >= drain_ends())
    return "event";
  if (follow_up_ && (follow_ups_ < kFollowUpLimit || now >= settle_at_)) return "follow_up";
  if (now >= next_due_) return "deadline";
  if (!town.live_runs().empty() && now >= last_tick_at_ + town.constants().resync) return "resync";
  return {};
}

Instant LiveTown::due() const {
  Instant due = std::min(next_due_, drain_ends());
  if (follow_up_) due = std::min(due, settle_at_);
  if (!town.live_runs().empty()) due = std::min(due, last_tick_at_ + town.constants().resync);
  return due;
}

Instant LiveTown::tick_time(Instant now, std::string_view trigger) const {
  return trigger == "follow_up" && follow_ups_ < kFollowUpLimit ? last_tick_at_ : now;
}

bool LiveTown::take_unsettled() { return std::exchange(unsettled_, false); }

void LiveTown::add_gap(Batch& batch, Instant now) {
  batch.events.push_back({next_seq_++, now, events::ObservationGap{last_tick_at_, now}});
  gap_ = false;
}

expected<EventBody> LiveTown::fact_of(const Submission& submission, Instant now) const {
  expected<EventBody> fact = submission.make ? submission.make(town) : expected<EventBody>(submission.body);
  if (fact && submission.answered)
    if (auto valid = validate(town, *fact, now); !valid) return tl::unexpected(std::move(valid.error()));
  return fact;
}

void LiveTown::accept(Batch& batch, Submission& submission, Instant now, bool look_ahead) {
  auto fact = fact_of(submission, now);
  if (!fact) return submission.answered(tl::unexpected(std::move(fact.error())));
  Event event{next_seq_++, now, std::move(*fact)};
  if (look_ahead) {
    Outbox unused;
    static_cast<void>(apply_event(town, event, now, unused));
  }
  if (submission.outcome) batch.outcomes.push_back(*submission.outcome);
  if (submission.answered)
    batch.askers.push_back({event.seq, std::move(submission.answered)});
  else
    batch.facts.push_back(std::move(submission));
  batch.events.push_back(std::move(event));
}

void LiveTown::take_batch(Batch& batch, Instant now, const EndOfRun& end_of_run) {
  batch.outcomes = std::exchange(outcomes_, {});
  if (listening_lapsed(now)) {
    add_gap(batch, now);
    // Those recorded before a stop have an older place in the order; they are the next tick's.
    if (!recorded_.empty()) return;
  }
  gap_ = false;
  if (now >= drain_ends()) batch.events.push_back({next_seq_++, now, events::DrainEnded{}});
  restarted_ = false;
  // What the end of a process means is decided when everything before it has been applied; the tick then applies all of
  // it for good.
  const bool look_ahead = std::any_of(waiting_.begin(), waiting_.end(),
                                      [](const Waiting& next) { return std::holds_alternative<Observation>(next); });
  const Town::Mark mark = town.mark();
  while (!waiting_.empty() && batch.events.size() < kBatch) {
    Waiting& next = waiting_.front();
    if (auto* submission = std::get_if<Submission>(&next)) {
      accept(batch, *submission, now, look_ahead);
    } else if (auto fact = end_of_run(town, std::get<Observation>(next))) {
      Submission found{std::move(*fact), {}, {}, {}};
      accept(batch, found, now, look_ahead);
    }
    waiting_.pop_front();
  }
  town.rollback(mark);
  for (const Event& event : recorded_) batch.recorded.insert(event.seq);
  batch.events.insert(batch.events.begin(), recorded_.begin(), recorded_.end());
  recorded_.clear();
}

TickInput LiveTown::foresee(Instant now) {
  TickInput input{now, life_.all(), recorded_, {}};
  std::int64_t seq = next_seq_;
  for (const Waiting& next : waiting_) {
    const auto* submission = std::get_if<Submission>(&next);
    if (submission == nullptr) continue;
    if (auto fact = fact_of(*submission, now)) input.events.push_back({seq++, now, std::move(*fact)});
  }
  return input;
}

void LiveTown::reload(LoadedTown loaded) {
  // Ticks that wrote nothing were ticks too: nothing was missed while the store was read.
  const Instant listened_until = last_tick_at_;
  // What the node is like now is compared with these rows and said anew; what was said before would overtake that.
  std::erase_if(waiting_, [](const Waiting& next) {
    const auto* submission = std::get_if<Submission>(&next);
    return submission != nullptr && std::holds_alternative<events::NodeChanged>(submission->body);
  });
  load(std::move(loaded));
  last_tick_at_ = std::max(last_tick_at_, listened_until);
  state = State::ready;
  why_not.clear();
  retries = 0;
  flight_.reset();
}

void LiveTown::quarantine(std::string why) {
  town.rollback(0);
  town.settle();
  state = State::quarantined;
  why_not = std::move(why);
  flight_.reset();
  follow_up_ = false;
}

void LiveTown::lose(std::string why, Instant at) {
  state = State::unreadable;
  why_not = std::move(why);
  retry_at = at;
}

std::set<std::string> LiveTown::outcomes_waiting() const {
  std::set<std::string> keys;
  for (const StoredEffect& outcome : outcomes_) keys.insert(outcome.effect.key);
  for (const Waiting& next : waiting_)
    if (const auto* submission = std::get_if<Submission>(&next); submission != nullptr && submission->outcome)
      keys.insert(submission->outcome->effect.key);
  return keys;
}

std::vector<Engine::Answered> LiveTown::dismiss() {
  std::vector<Engine::Answered> askers;
  std::deque<Waiting> kept;
  for (Waiting& next : waiting_) {
    auto* submission = std::get_if<Submission>(&next);
    if (submission != nullptr && submission->answered)
      askers.push_back(std::move(submission->answered));
    else
      kept.push_back(std::move(next));
  }
  waiting_ = std::move(kept);
  if (creation_) askers.push_back(std::move(*std::exchange(creation_, {})));
  return askers;
}

Engine::View LiveTown::view(Instant now) const {
  return {town,
          now,
          last_tick_at_,
          next_tick_ - 1,
          static_cast<int>(waiting_.size() + recorded_.size()),
          static_cast<int>(in_doubt.size()),
          last_record_.get(),
          why_not,
          in_doubt};
}

}  // namespace townd
