#include "core/replay.hpp"

#include <algorithm>
#include <utility>

namespace townd {
namespace {

/// Whether townd began to listen anew in this tick: what it had put off was forgotten then, and everything looked at.
bool listens_anew(const RecordedTick& tick) {
  return std::any_of(tick.events.begin(), tick.events.end(),
                     [](const Event& event) { return std::holds_alternative<events::ObservationGap>(event.body); });
}

}  // namespace

std::optional<Difference> difference(const TickRecord& recorded, const TickResult& replayed) {
  const auto differs = [&](std::string what) {
    Difference difference{std::move(what), recorded, recorded};
    note_result(difference.replayed, replayed);
    return difference;
  };
  if (recorded.events != replayed.events) return differs("events");
  if (recorded.decisions != replayed.decisions) return differs("decisions");
  if (recorded.violations != replayed.violations) return differs("violations");
  if (recorded.effects != effect_keys(replayed)) return differs("effects");
  if (recorded.digest != replayed.digest) return differs("digest");
  return std::nullopt;
}

Replay::Replay(Town start, Variation variation) : town_(std::move(start)), variation_(std::move(variation)) {
  if (variation_.change) variation_.change(town_);
  town_.settle();
}

TickResult Replay::decide(TickInput input) {
  input.without_rules = variation_.without_rules;
  TickResult result = tick(town_, input);
  town_.settle();
  now_ = input.now;
  next_due_ = std::max(result.next_due, input.now + Duration{1});
  follow_up_ = result.follow_up;
  return result;
}

Instant Replay::due() const { return follow_up_ ? now_ : next_due_; }

void Replay::look_ahead(Instant left_at) {
  const Instant next = left_at + Duration{1};
  TickInput nothing{next, {}, {}, {}};
  nothing.without_rules = variation_.without_rules;
  const TickResult first = std::move(dry_run(town_, nothing, next).front().result);
  next_due_ = first.decisions.empty() ? std::max(first.next_due, next) : next;
}

std::vector<Replay::Again> Replay::let_pass(Instant until, Instant late, const std::vector<SignOfLife>& life) {
  std::vector<Again> passed;
  for (; own_ticks_ < kOwnTicks; ++own_ticks_) {
    const Instant at = due();
    if (at > until || at == kNever || at == late) break;
    TickInput input{at, life, {}, {}};
    for (SignOfLife& sign : input.life) sign.at = std::min(sign.at, at);
    passed.push_back({0, at, decide(std::move(input))});
  }
  return passed;
}

std::vector<Replay::Again> Replay::next(const RecordedTick& tick, Instant late) {
  std::vector<Again> again;
  // What is recorded of a variation's moment happens then; only what was decided between is its own.
  // The signs of life in a record were heard over all the time since the one before it.
  if (!variation_.empty()) again = let_pass(tick.record.at - Duration{1}, late, tick.record.life);
  if (listens_anew(tick)) town_ = town_of(image_of(town_));
  TickInput input{tick.record.at, tick.record.life, {}, tick.record.missed};
  for (const Violation& violation : tick.record.violations)
    if (violation.rule.empty()) input.found.push_back(violation);
  for (const Event& event : tick.events)
    if (!variation_.dropped.contains(event.seq)) input.events.push_back(event);
  again.push_back({tick.record.number, tick.record.at, decide(std::move(input))});
  return again;
}

// ---- a stretch of the past ---------------------------------------------------------------------------------------

namespace {

std::int64_t facts_of(const Window& window, const RecordedTick& tick) {
  return std::count_if(tick.events.begin(), tick.events.end(), [&](const Event& event) {
    return event.created_at >= window.from && event.created_at <= window.to;
  });
}

/// One rerun under way: as it was, and beside it the variation.
class Rerunning {
 public:
  Rerunning(const RerunStart& start, const Window& window, Variation variation)
      : window_(window), as_it_was_(start.town) {
    rerun_.from_tick = last_ = start.tick;
    if (variation.empty()) return;
    rerun_.not_dropped = variation.dropped;
    instead_.emplace(start.town, std::move(variation));
    for (Replay* side : {&as_it_was_, &*instead_}) side->look_ahead(start.at);
  }

  /// False when the tick is behind the window.
  expected<bool> take(const RecordedTick& tick) {
    if (!reached(window_, tick)) return false;
    const std::int64_t facts = facts_of(window_, tick);
    if (tick.record.number != last_ + 1) return tl::unexpected(missing_ticks(last_ + 1, tick.record.number - 1));
    last_ = tick.record.number;
    ++rerun_.ticks;
    const bool inside = tick.record.at >= window_.from || facts > 0;
    if (inside && !before_) before_ = as_it_was_.town();
    rerun_.events += facts;
    for (const Event& event : tick.events) rerun_.not_dropped.erase(event.seq);
    const Instant late = as_it_was_.due();
    TickResult again = std::move(as_it_was_.next(tick).front().result);
    if (!rerun_.first_difference) rerun_.first_difference = difference(tick.record, again);
    if (inside && tick.record.decisions != again.decisions)
      tell(rerun_.otherwise, rerun_.left_out.otherwise,
           {last_, tick.record.at, tick.record.decisions, again.decisions});
    if (instead_) compare(instead_->next(tick, late), again.decisions);
    if (!inside) return true;
    for (HistoryRow& row : again.outbox.history) tell(rerun_.history, rerun_.left_out.history, {last_, std::move(row)});
    if (!again.decisions.empty())
      tell(rerun_.decided, rerun_.left_out.decided, {last_, tick.record.at, std::move(again.decisions)});
    return true;
  }

  Rerun end() {
    if (instead_) {
      compare(instead_->let_pass(window_.to, as_it_was_.due()), {});
      rerun_.instead = instead_->town();
      rerun_.endless = instead_->endless();
    }
    rerun_.before = before_ ? std::move(*before_) : as_it_was_.town();
    rerun_.town = as_it_was_.town();
    return std::move(rerun_);
  }

 private:
  /// The last of `passed` is the recorded tick, if one is.
  void compare(std::vector<Replay::Again> passed, const std::vector<Decided>& as_it_was) {
    for (Replay::Again& again : passed) {
      const std::vector<Decided>& recorded = again.number == 0 ? nothing_ : as_it_was;
      if (recorded != again.result.decisions)
        tell(rerun_.differing, rerun_.left_out.differing,
             {again.number, again.at, recorded, std::move(again.result.decisions)});
    }
  }

  template <class Tick>
  static void tell(std::vector<Tick>& list, std::int64_t& left_out, Tick tick) {
    if (list.size() < kRerunShows)
      list.push_back(std::move(tick));
    else
      ++left_out;
  }

  const Window window_;
  const std::vector<Decided> nothing_;
  Replay as_it_was_;
  std::optional<Replay> instead_;
  std::optional<Town> before_;
  Rerun rerun_;
  std::int64_t last_ = 0;
};

}  // namespace

Error missing_ticks(std::int64_t first, std::int64_t last) {
  return {Error::Code::not_found,
          "the ticks from " + std::to_string(first) + " to " + std::to_string(last) + " are no longer there",
          "begin at a later time"};
}

bool reached(const Window& window, const RecordedTick& tick) {
  return tick.record.at <= window.to || facts_of(window, tick) > 0;
}

expected<Rerun> run_again(const RerunStart& start, const RecordSource& source, const Window& window,
                          Variation variation) {
  Rerunning rerunning(start, window, std::move(variation));
  for (std::int64_t after = start.tick;;) {
    const auto page = source(after);
    if (!page) return tl::unexpected(page.error());
    for (const RecordedTick& tick : *page) {
      const auto inside = rerunning.take(tick);
      if (!inside) return tl::unexpected(inside.error());
      if (!*inside) return rerunning.end();
      after = tick.record.number;
    }
    if (page->empty()) return rerunning.end();
  }
}

}  // namespace townd
