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

}  // namespace

void LogObserver::ticked(const TownId& town, const TickRecord& record) {
  const std::string tick = std::to_string(record.number);
  for (const EventOutcome& event : record.events) {
    if (event.fate == EventFate::applied) continue;
    const bool given_up = event.fate == EventFate::quarantined;
    log_.write(given_up ? LogLevel::error : LogLevel::warn, given_up ? "event quarantined" : "event deferred",
               {{"town", town.text}, {"tick", tick}, {"event", std::to_string(event.seq)}, {"because", event.note}});
  }
  for (const Decided& decided : record.decisions) {
    Concerned concerned;
    std::string actions;
    for (const ActionBody& action : decided.actions) {
      std::visit(concerned, action);
      actions += (actions.empty() ? "" : ",") + std::string(action_type(action));
    }
    if (!decided.chosen.empty()) concerned.agent = decided.chosen.text;
    log_.write(decided.fate == ActionFate::refused ? LogLevel::warn : LogLevel::info, "decided",
               {{"town", town.text},
                {"tick", tick},
                {"rule", std::string(decided.rule)},
                {"subject", decided.subject.text},
                {"actions", actions},
                {"bead", concerned.bead},
                {"agent", concerned.agent},
                {"run", concerned.run},
                {"fate", std::string(fate_of(decided.fate))},
                {"because", decided.why}});
  }
  for (const Violation& violation : record.violations)
    log_.write(LogLevel::error, "invariant violated",
               {{"town", town.text},
                {"tick", tick},
                {"invariant", std::to_string(violation.invariant)},
                {"subject", violation.subject},
                {"rule", violation.rule},
                {"because", violation.message}});
  log_.write(LogLevel::debug, "tick",
             {{"town", town.text},
              {"tick", tick},
              {"trigger", record.trigger},
              {"events", std::to_string(record.events.size())},
              {"decisions", std::to_string(record.decisions.size())},
              {"effects", std::to_string(record.effects.size())},
              {"pending", std::to_string(record.pending_events)},
              {"wall_us", std::to_string(record.wall_us)}});
}

void LogObserver::differs(const TownId& town, const Difference& difference) {
  log_.write(LogLevel::error, "a tick is decided otherwise than was recorded",
             {{"town", town.text},
              {"tick", std::to_string(difference.recorded.number)},
              {"what", difference.what},
              {"recorded", difference.recorded.digest.hex()},
              {"now", difference.replayed.digest.hex()}});
}

void LogObserver::alert(const TownId& town, std::string_view kind, const std::string& message) {
  log_.write(LogLevel::warn, "alert", {{"town", town.text}, {"kind", std::string(kind)}, {"because", message}});
}

}  // namespace townd
