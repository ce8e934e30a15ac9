#include "codec/ticks.hpp"

#include "codec/actions.hpp"
#include "codec/describe_ticks.hpp"
#include "codec/events.hpp"

namespace townd {
namespace {

constexpr std::string_view kFormat = "format";

std::string_view name_of(Explained::Kind kind) {
  switch (kind) {
    case Explained::Kind::act: return "act";
    case Explained::Kind::wait: return "wait";
    case Explained::Kind::hold: return "hold";
  }
  return "hold";
}

json::value until_json(Instant t) { return t == kNever ? json::value(nullptr) : json::value(to_text(t)); }

}  // namespace

std::string encode_tick(const TickRecord& record) {
  json::object object = JsonWriter(Blanks::omit).write_members(record);
  object.emplace(kFormat, kEventFormat);
  return json::serialize(object);
}

expected<TickRecord> decode_tick(std::string_view text) {
  auto document = parse_json(text);
  if (!document) return tl::unexpected(document.error());
  json::object* object = document->if_object();
  const json::value* format = object ? object->if_contains(kFormat) : nullptr;
  if (!format || !format->is_int64() || format->get_int64() < 1 || format->get_int64() > kEventFormat)
    return fail(Error::Code::internal, "a tick is stored in an unknown format",
                "use the townd that wrote it, or a newer one");
  object->erase(kFormat);
  return from_json<TickRecord>(*document);
}

json::object decided_action_json(const Decided& decided, const ActionBody& body) {
  json::object action = action_json(body);
  action.emplace("rule", decided.rule);
  if (decided.chosen) action.emplace("chosen", decided.chosen.text);
  return action;
}

json::object plan_json(std::span<const TimedTick> ticks, Instant at) {
  json::array actions;
  json::array skipped;
  json::array violations;
  std::int64_t events = 0;
  for (const auto& [moment, tick] : ticks) {
    events += static_cast<std::int64_t>(tick.events.size());
    for (const Decided& decided : tick.decisions) {
      for (const ActionBody& body : decided.actions) {
        json::object action = decided_action_json(decided, body);
        action.emplace("at", to_text(moment));
        if (decided.fate == ActionFate::applied) {
          actions.push_back(std::move(action));
        } else {
          action.emplace("why", decided.why);
          skipped.push_back(std::move(action));
        }
      }
    }
    for (const Violation& violation : tick.violations)
      violations.push_back(json::value{
          {"invariant", violation.invariant}, {"subject", violation.subject}, {"message", violation.message}});
  }
  json::object plan;
  plan.emplace("at", to_text(at));
  plan.emplace("events_applied", events);
  plan.emplace("actions", std::move(actions));
  plan.emplace("skipped", std::move(skipped));
  plan.emplace("violations", std::move(violations));
  const Instant next_due = ticks.empty() ? kNever : ticks.back().result.next_due;
  plan.emplace("next_due_at", until_json(next_due));
  plan.emplace("complete", next_due > at);
  plan.emplace("digest", ticks.empty() ? Hash128{}.hex() : ticks.back().result.digest.hex());
  return plan;
}

json::object explanation_json(const Explanation& explanation) {
  json::array decisions;
  for (const Explained& one : explanation.decisions) {
    json::object decision;
    decision.emplace("rule", one.rule);
    decision.emplace("decision", name_of(one.kind));
    decision.emplace("because", one.because);
    if (one.kind == Explained::Kind::wait) decision.emplace("until", until_json(one.until));
    decisions.push_back(std::move(decision));
  }
  json::object object;
  object.emplace("id", explanation.id);
  object.emplace("status", explanation.status);
  object.emplace("decisions", std::move(decisions));
  object.emplace("next", explanation.next);
  return object;
}

}  // namespace townd
