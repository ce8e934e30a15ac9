#include "observe/log_observer.hpp"

#include <string>
#include <variant>

#include "core/agenda.hpp"

namespace townd {
namespace {

/// The bead, agent and run that an action names, whatever its kind calls them.
struct Concerned {
  std::string bead;
  std::string agent;
  std::string run;

  template <class Action>
  void operator()(const Action& action) {
    if constexpr (requires { action.bead_id.text; }) bead = action.bead_id.text;
    if constexpr (requires { action.convoy_id.text; }) bead = action.convoy_id.text;
    if constexpr (requires { action.source_bead_id.text; }) bead = action.source_bead_id.text;
    if constexpr (requires { action.agent_id.text; }) agent = action.agent_id.text;
    if constexpr (requires { action.run_id.text; }) run = action.run_id.text;
  }
};

std::string_view fate_of(ActionFate fate) {
  switch (fate) {
    case ActionFate::applied: return "applied";
    case ActionFate::stale: return "stale";
    case ActionFate::refused: return "refused";
  }
  return "refused";
}

/// The effects of a tick by what asked for them.
class EffectsBy {
 public:
  explicit EffectsBy(const TickResult& result) : effects_(result.outbox.effects), ends_(result.effects_by) {}
  /// Those that facts asked for.
  [[nodiscard]] std::span<const Effect> facts() const {
    return effects_.first(ends_.empty() ? effects_.size() : ends_.front());
  }
  [[nodiscard]] std::span<const Effect> decision(std::size_t i) const {
    return effects_.subspan(ends_.at(i), ends_.at(i + 1) - ends_.at(i));
  }

 private:
  std::span<const Effect> effects_;
  const std::vector<std::size_t>& ends_;
};

}  // namespace

void LogObserver::ticked(const Ticked& ticked) {
  const TickRecord& record = ticked.record;
  const std::string& town = ticked.town.row().town_id.text;
  const std::string tick = std::to_string(record.number);
  for (const EventOutcome& event : record.events) {
    if (event.fate == EventFate::applied) continue;
    const bool given_up = event.fate == EventFate::quarantined;
    log_.write(given_up ? LogLevel::error : LogLevel::warn, given_up ? "event quarantined" : "event deferred",
               {{"town", town}, {"tick", tick}, {"event", std::to_string(event.seq)}, {"because", event.note}});
  }
  const EffectsBy by(ticked.result);
  log_effects(town, tick, "", by.facts());
  for (std::size_t i = 0; i < record.decisions.size(); ++i) {
    const Decided& decided = record.decisions[i];
    const std::string id = tick + "." + std::to_string(i + 1);
    Concerned concerned;
    std::string actions;
    for (const ActionBody& action : decided.actions) {
      std::visit(concerned, action);
      actions += (actions.empty() ? "" : ",") + std::string(action_type(action));
    }
    if (!decided.chosen.empty()) concerned.agent = decided.chosen.text;
    log_.write(decided.fate == ActionFate::refused ? LogLevel::warn : LogLevel::info, "decided",
               {{"town", town},
                {"tick", tick},
                {"action", id},
                {"rule", std::string(decided.rule)},
                {"subject", decided.subject.text},
                {"actions", actions},
                {"bead", concerned.bead},
                {"agent", concerned.agent},
                {"run", concerned.run},
                {"fate", std::string(fate_of(decided.fate))},
                {"because", decided.why}});
    log_effects(town, tick, id, by.decision(i));
  }
  for (const Violation& violation : record.violations)
    log_.write(LogLevel::error, "invariant violated",
               {{"town", town},
                {"tick", tick},
                {"invariant", std::to_string(violation.invariant)},
                {"subject", violation.subject},
                {"rule", violation.rule},
                {"because", violation.message}});
  log_.write(LogLevel::debug, "tick",
             {{"town", town},
              {"tick", tick},
              {"trigger", record.trigger},
              {"events", std::to_string(record.events.size())},
              {"decisions", std::to_string(record.decisions.size())},
              {"effects", std::to_string(record.effects.size())},
              {"pending", std::to_string(record.pending_events)},
              {"wall_us", std::to_string(record.wall_us)}});
}

void LogObserver::log_effects(const std::string& town, const std::string& tick, const std::string& action,
                              std::span<const Effect> effects) {
  for (const Effect& effect : effects) {
    log_.write(LogLevel::info, "effect wanted",
               {{"town", town}, {"tick", tick}, {"action", action}, {"effect", effect.key}});
    if (wanted_.size() < kWanted) wanted_.insert_or_assign({town, effect.key}, Wanted{tick, action});
  }
}

void LogObserver::effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) {
  for (const StoredEffect& outcome : outcomes) {
    const bool well = outcome.state == EffectState::done;
    const auto found = wanted_.find({town.text, outcome.effect.key});
    const Wanted wanted = found == wanted_.end() ? Wanted{} : found->second;
    // What is unknown may come to another end yet.
    if (found != wanted_.end() && (well || outcome.state == EffectState::failed)) wanted_.erase(found);
    log_.write(well ? LogLevel::info : LogLevel::warn, "effect ended",
               {{"town", town.text},
                {"tick", wanted.tick},
                {"action", wanted.action},
                {"effect", outcome.effect.key},
                {"outcome", std::string(to_string(outcome.state))},
                {"attempts", std::to_string(outcome.attempts)},
                {"because", outcome.detail}});
  }
}

void LogObserver::differs(const TownId& town, const Difference& difference) {
  log_.write(LogLevel::error, "a tick is decided otherwise than was recorded",
             {{"town", town.text},
              {"tick", std::to_string(difference.recorded.number)},
              {"what", difference.what},
              {"recorded", difference.recorded.digest.hex()},
              {"now", difference.replayed.digest.hex()}});
}

void LogObserver::alarm(const Alarm& alarm) {
  log_.write(LogLevel::warn, "alert",
             {{"town", alarm.town.text},
              {"tick", alarm.tick == 0 ? "" : std::to_string(alarm.tick)},
              {"kind", alarm.kind},
              {"subject", alarm.subject},
              {"rule", alarm.rule},
              {"because", alarm.message}});
}

}  // namespace townd
