#include "cli/plan.hpp"

#include <ostream>

#include "cli/past_file.hpp"
#include "codec/actions.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"

namespace townd::cli {
namespace {

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

void print(const std::vector<TimedTick>& ticks, Instant begin, Instant at, std::ostream& out) {
  std::size_t actions = 0;
  for (const auto& [moment, tick] : ticks) {
    const std::string when = moment == begin ? "" : "  " + to_text(moment);
    for (const Decided& decided : tick.decisions) {
      for (const ActionBody& body : decided.actions) {
        const bool applied = decided.fate == ActionFate::applied;
        out << (applied ? "" : "skipped: ") << line_of(body) << "  [" << decided.rule << "]" << when;
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
  const Instant next = ticks.back().result.next_due;
  if (next <= at) out << "more would follow than is shown; take an earlier time\n";
  out << "at " << to_text(at) << ": " << actions << (actions == 1 ? " action" : " actions") << "; next look "
      << to_text(next) << '\n';
}

}  // namespace

expected<int> plan_snapshot(const PlanRequest& request, std::ostream& out) {
  const auto file = PastFile::open(request.snapshot);
  if (!file) return tl::unexpected(file.error());
  const auto at = file->moment(request.at);
  if (!at) return tl::unexpected(at.error());
  // A snapshot that does not say when it was made is one of the moment that is asked about.
  const Instant end = file->bundle().until;
  const Instant begin = end == Instant{} ? *at : std::min(end, *at);
  const auto past = file->run_again({begin, begin});
  if (!past) return tl::unexpected(past.error());
  Town town = past->town;
  const TickInput input{begin, {}, file->pending_at(*at), {}};
  const std::vector<TimedTick> ticks = dry_run(town, input, *at);
  if (request.as_json)
    out << json::serialize(plan_json(ticks, *at)) << '\n';
  else
    print(ticks, begin, *at, out);
  return 0;
}

}  // namespace townd::cli
