#include "cli/plan.hpp"

#include <ostream>

#include "cli/input.hpp"
#include "codec/actions.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"

namespace townd::cli {
namespace {

constexpr std::size_t kFileLimit = std::size_t{4} << 30;

/// `transition_bead bead_id=gt-4 from=open to=failed`, fields without a value left out.
std::string line_of(const ActionBody& body) {
  std::string line;
  for (const auto& [key, value] : action_json(body)) {
    const json::string* text = value.if_string();
    if (text && text->empty()) continue;
    if (!line.empty()) line += ' ';
    if (key != "type") line += std::string(key) + '=';
    line += text ? std::string(*text) : json::serialize(value);
  }
  return line;
}

void print(const std::vector<TickResult>& ticks, Instant at, std::ostream& out) {
  std::size_t actions = 0;
  for (const TickResult& tick : ticks) {
    for (const Decided& decided : tick.decisions) {
      for (const ActionBody& body : decided.actions) {
        const bool applied = decided.fate == ActionFate::applied;
        out << (applied ? "" : "skipped: ") << line_of(body) << "  [" << decided.rule << "]";
        if (applied)
          ++actions;
        else
          out << "  " << decided.why;
        out << '\n';
      }
    }
    for (const Violation& violation : tick.violations)
      out << "invariant " << violation.invariant << " broken at " << violation.subject << ": " << violation.message
          << '\n';
  }
  const Instant next = ticks.empty() ? kNever : ticks.back().next_due;
  out << "at " << to_text(at) << ": " << actions << (actions == 1 ? " action" : " actions") << "; next look "
      << to_text(next) << '\n';
}

}  // namespace

expected<int> plan_snapshot(const PlanRequest& request, std::ostream& out) {
  const auto bytes = file_contents(request.snapshot, kFileLimit);
  if (!bytes) return tl::unexpected(bytes.error());
  auto snapshot = read_snapshot(*bytes);
  if (!snapshot)
    return fail(snapshot.error().code, request.snapshot + ": " + snapshot.error().what, snapshot.error().hint);
  TickInput input;
  input.now = snapshot->now;
  if (request.at) {
    const auto at = instant_from_text(*request.at);
    if (!at || *at == kNever)
      return fail(Error::Code::invalid, "\"" + *request.at + "\" is no time", "write it as 2026-07-01T12:00:00Z");
    input.now = *at;
  }
  input.events = std::move(snapshot->events);
  Town town = town_of(snapshot->image);
  const std::vector<TickResult> ticks = tick_until_settled(town, input);
  if (request.as_json)
    out << json::serialize(plan_json(ticks, input.now)) << '\n';
  else
    print(ticks, input.now, out);
  return 0;
}

}  // namespace townd::cli
