#include "codec/actions.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "codec/describe_ticks.hpp"
#include "core/rule.hpp"

namespace townd {
namespace {

constexpr std::string_view kType = "type";

template <class... Bodies>
const std::array<std::string_view, sizeof...(Bodies)>& action_names(const std::variant<Bodies...>*) {
  static const std::array<std::string_view, sizeof...(Bodies)> names{action_type(ActionBody(Bodies{}))...};
  return names;
}
template <class... Bodies>
const std::array<std::string_view, sizeof...(Bodies)>& effect_names(const std::variant<Bodies...>*) {
  static const std::array<std::string_view, sizeof...(Bodies)> names{effect_kind(EffectBody(Bodies{}))...};
  return names;
}
/// The alternative of a variant with this index, blank.
template <class Variant, class... Bodies>
Variant blank_of(std::size_t index, const std::variant<Bodies...>*) {
  static constexpr std::array<Variant (*)(), sizeof...(Bodies)> makers{+[]() -> Variant { return Bodies{}; }...};
  return makers[index]();
}
template <class Names>
std::size_t place_of(std::string_view name, const Names& names) {
  std::size_t place = 0;
  while (place < names.size() && names[place] != name) ++place;
  return place;
}

/// The reference keeps what is measured under `data`, in its own spelling.
json::object write_action(const JsonWriter& writer, const actions::EmitEvent& event) {
  json::object data(writer.storage());
  data.emplace("convoyId", writer.write(event.convoy_id));
  data.emplace("suppressedAttempt", event.suppressed_attempt);
  json::object object(writer.storage());
  object.emplace("event_name", writer.write(event.event_name));
  object.emplace("rig_id", writer.write(event.rig_id));
  object.emplace("data", std::move(data));
  return object;
}
template <class Body>
json::object write_action(const JsonWriter& writer, const Body& body) {
  return writer.write_members(body);
}

template <class Body>
bool read_action_member(JsonReader& reader, std::string_view key, const json::value& v, Body& out) {
  bool known = false;
  if (reader.read_member(key, v, out, known)) return true;
  return known ? false : reader.unknown_key(key, JsonReader::keys_of<Body>());
}
bool read_action_member(JsonReader& reader, std::string_view key, const json::value& v, actions::EmitEvent& out) {
  if (key != "data") return read_action_member<actions::EmitEvent>(reader, key, v, out);
  const json::object* data = v.if_object();
  if (!data) return reader.wrong("expected an object") || reader.at(key);
  static constexpr std::array<std::string_view, 2> known{"convoyId", "suppressedAttempt"};
  for (const auto& [name, value] : *data) {
    bool good = true;
    if (name == known[0])
      good = reader.read(value, out.convoy_id);
    else if (name == known[1])
      good = reader.read(value, out.suppressed_attempt);
    else
      good = reader.unknown_key(name, known);
    if (!good) return reader.at(key);
  }
  return true;
}

/// The id of a rule that is no more, kept for as long as the process lives: history names it.
std::string_view retired_rule(std::string_view id) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> ids;
  const std::lock_guard lock(mutex);
  return *ids.emplace(id).first;
}

}  // namespace

json::value JsonForm<ActionBody>::write(const JsonWriter& writer, const ActionBody& body) {
  json::object object(writer.storage());
  object.emplace(kType, action_type(body));
  json::object members = std::visit([&](const auto& b) { return write_action(writer, b); }, body);
  for (auto& [key, value] : members) object.emplace(key, std::move(value));
  return object;
}

bool JsonForm<ActionBody>::read(JsonReader& reader, const json::value& v, ActionBody& out) {
  const json::object* object = v.if_object();
  const json::value* type = object ? object->if_contains(kType) : nullptr;
  if (!type || !type->is_string()) return reader.wrong("expected an object with a \"type\"");
  const auto& names = action_names(static_cast<const ActionBody*>(nullptr));
  const std::size_t place = place_of(std::string_view(type->get_string()), names);
  if (place == names.size()) {
    const std::string_view similar = nearest(std::string_view(type->get_string()), names);
    return reader.wrong("unknown type of action; the nearest known one is \"" + std::string(similar) + "\"") ||
           reader.at(kType);
  }
  out = blank_of<ActionBody>(place, static_cast<const ActionBody*>(nullptr));
  return std::visit(
      [&](auto& body) {
        for (const auto& [key, value] : *object)
          if (key != kType && !read_action_member(reader, key, value, body)) return false;
        return true;
      },
      out);
}

json::value JsonForm<std::string_view>::write(const JsonWriter& writer, const std::string_view& rule) {
  return json::value(json::string(rule, writer.storage()));
}

bool JsonForm<std::string_view>::read(JsonReader& reader, const json::value& v, std::string_view& out) {
  std::string id;
  if (!reader.read(v, id)) return false;
  for (const Rule& rule : rules()) {
    if (rule.id != id) continue;
    out = rule.id;
    return true;
  }
  out = retired_rule(id);
  return true;
}

json::object action_json(const ActionBody& body) {
  json::object object = JsonForm<ActionBody>::write(JsonWriter(Blanks::keep), body).get_object();
  if (const json::value* batch = object.if_contains("batch"); batch && batch->get_array().empty())
    object.erase("batch");
  if (const json::value* ahead = object.if_contains("ahead_of"); ahead && ahead->get_string().empty())
    object.erase("ahead_of");
  return object;
}

EffectText encode_effect(const EffectBody& effect) {
  const JsonWriter writer(Blanks::omit);
  return {std::string(effect_kind(effect)),
          std::visit([&](const auto& body) { return json::serialize(writer.write_members(body)); }, effect)};
}

expected<EffectBody> decode_effect(const EffectText& text) {
  const auto& names = effect_names(static_cast<const EffectBody*>(nullptr));
  const std::size_t place = place_of(text.kind, names);
  if (place == names.size())
    return fail(Error::Code::internal, "unknown kind of effect \"" + text.kind + "\" in the outbox",
                "use the townd that wrote it, or a newer one");
  const auto members = parse_json(text.body);
  if (!members) return tl::unexpected(members.error());
  EffectBody effect = blank_of<EffectBody>(place, static_cast<const EffectBody*>(nullptr));
  JsonReader reader;
  if (!std::visit([&](auto& body) { return reader.read_members(*members, body); }, effect))
    return tl::unexpected(as_error(reader.issue));
  return effect;
}

namespace {
constexpr std::array<std::string_view, 4> kEffectStates{"pending", "done", "failed", "unknown"};  // as EffectState
}

std::string_view effect_state_text(EffectState state) { return kEffectStates[static_cast<std::size_t>(state)]; }

EffectState effect_state(std::string_view text) {
  const auto found = std::find(kEffectStates.begin(), kEffectStates.end(), text);
  return found == kEffectStates.end() ? EffectState::unknown : static_cast<EffectState>(found - kEffectStates.begin());
}

}  // namespace townd
