#include "observe/alert.hpp"

#include <array>
#include <random>

#include "codec/fields.hpp"
#include "codec/utf8.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace townd {
namespace {

/// What needs a person now, also at night. A violation does in any case.
constexpr std::array<std::string_view, 3> kErrors{"crash", "town_quarantined", "store_failed"};
constexpr std::size_t kShortText = 500;
constexpr std::size_t kToldOfHeld = 10;  ///< messages that a digest repeats

AlertLevel level_of(const Alarm& alarm) {
  bool error = alarm.invariant != 0;
  for (const std::string_view kind : kErrors) error = error || alarm.kind == kind;
  return error ? AlertLevel::error : AlertLevel::warning;
}

/// Valid, and cut between two characters.
std::string clean(std::string_view text, std::size_t limit) {
  return at_most(valid_utf8(text.substr(0, limit)), limit);
}

std::string new_id() {
  std::random_device device;
  const auto half = [&device] { return (std::uint64_t{device()} << 32) | device(); };
  return Hash128{half(), half()}.hex();
}

}  // namespace

Alert make_alert(const Alarm& alarm, Instant at, const std::string& bundles, const std::string& node) {
  Alert alert;
  alert.id = new_id();
  alert.at = at;
  alert.level = level_of(alarm);
  alert.kind = clean(alarm.kind, kShortText);
  alert.town = clean(alarm.town.text, kShortText);
  alert.message = clean(alarm.message, kAlertMessage);
  alert.subject = clean(alarm.subject, kShortText);
  alert.invariant = alarm.invariant;
  alert.rule = clean(alarm.rule, kShortText);
  alert.tick = alarm.tick;
  if (alarm.invariant != 0 && alarm.tick != 0)
    alert.bundle = bundles + "/" + alert.town + "-tick-" + std::to_string(alarm.tick) + ".bundle";
  alert.node = node;
  return alert;
}

Alert digest_of(const std::vector<Alert>& held, Instant at) {
  Alert digest = held.front();
  if (held.size() == 1) return digest;
  std::string ids;
  digest.count = 0;
  digest.message.clear();
  for (std::size_t i = 0; i < held.size(); ++i) {
    const Alert& one = held[i];
    ids += one.id;
    digest.count += one.count;
    if (one.town != digest.town) digest.town.clear();
    if (one.subject != digest.subject) digest.subject.clear();
    if (i < kToldOfHeld)
      digest.message += to_text(one.at) + " " + one.town + (one.subject.empty() ? "" : " " + one.subject) + ": " +
                        clean(one.message, kShortText) + "\n";
  }
  if (held.size() > kToldOfHeld) digest.message += "and " + std::to_string(held.size() - kToldOfHeld) + " more\n";
  digest.message = std::to_string(digest.count) + " alerts of this kind in the quiet hours:\n" + digest.message;
  digest.message.pop_back();
  digest.id = siphash128(ids).hex();
  digest.at = at;
  digest.tick = 0;
  return digest;
}

std::vector<std::string> fingerprint(const Alert& alert) {
  if (alert.invariant != 0) return {"invariant", std::to_string(alert.invariant), alert.rule};
  return {alert.kind, alert.town, alert.subject};
}

std::string to_text(const Alert& alert) { return json::serialize(JsonWriter(Blanks::keep).write(alert)); }

expected<Alert> alert_from_text(const std::string& text) {
  const auto document = parse_json(text);
  if (!document) return tl::unexpected(document.error());
  auto alert = from_json<Alert>(*document);
  if (alert && (alert->id.size() != 32 || alert->kind.empty()))
    return fail(Error::Code::invalid, "an alert needs an id and a kind");
  return alert;
}

}  // namespace townd
