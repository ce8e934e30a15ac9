#include "codec/events.hpp"

#include <array>

#include "codec/describe_events.hpp"

namespace townd {
namespace {

constexpr std::string_view kAgent = "agent_id";
constexpr std::string_view kBead = "bead_id";

/// Of the members that name the bead an event is about, the one that this kind has. All but `bead_id` are in the
/// payload too.
constexpr std::array<std::string_view, 2> kOtherBeads{"mr_bead_id", "entry"};

template <class... Bodies>
const std::array<std::string_view, sizeof...(Bodies)>& event_names(const std::variant<Bodies...>*) {
  static const std::array<std::string_view, sizeof...(Bodies)> names{event_type(EventBody(Bodies{}))...};
  return names;
}
const auto& event_names() { return event_names(static_cast<const EventBody*>(nullptr)); }

template <class... Bodies>
EventBody blank_body(std::size_t index, const std::variant<Bodies...>*) {
  static constexpr std::array<EventBody (*)(), sizeof...(Bodies)> makers{+[]() -> EventBody { return Bodies{}; }...};
  return makers[index]();
}

/// The members of a body with those beside the payload taken out.
struct Parts {
  std::string agent_id;
  std::string bead_id;
  json::object payload;
};

Parts parts_of(const JsonWriter& writer, const EventBody& body) {
  Parts parts;
  parts.payload = std::visit([&](const auto& b) { return writer.write_members(b); }, body);
  const auto take = [&](std::string_view key, bool keep) {
    const auto* text = parts.payload.if_contains(key) ? parts.payload.at(key).if_string() : nullptr;
    std::string value = text ? std::string(*text) : std::string();
    if (!keep) parts.payload.stable_erase(key);
    return value;
  };
  parts.agent_id = take(kAgent, false);
  parts.bead_id = take(kBead, false);
  for (const std::string_view key : kOtherBeads)
    if (parts.bead_id.empty()) parts.bead_id = take(key, true);
  return parts;
}

/// Puts an id that stands beside the payload where the body has it.
template <class Body>
bool read_beside(JsonReader& reader, std::string_view key, std::string_view id, Body& out) {
  if (id.empty()) return true;
  bool known = false;
  const json::value text(id);
  if (reader.read_member(key, text, out, known)) return true;
  if (known) return false;
  if (key != kBead) return true;  // a kind that concerns no agent
  for (const std::string_view other : kOtherBeads)
    if (reader.read_member(other, text, out, known)) return true;
  return true;
}

bool read_body(JsonReader& reader, std::string_view type, std::string_view agent_id, std::string_view bead_id,
               const json::value& payload, EventBody& out) {
  const auto& names = event_names();
  std::size_t index = 0;
  while (index < names.size() && names[index] != type) ++index;
  if (index == names.size()) {
    reader.wrong("unknown kind of event \"" + std::string(type) + "\"; the nearest known one is \"" +
                 std::string(nearest(type, names)) + "\"");
    return reader.at("event_type");
  }
  out = blank_body(index, static_cast<const EventBody*>(nullptr));
  return std::visit(
      [&](auto& body) {
        return read_beside(reader, kAgent, agent_id, body) && read_beside(reader, kBead, bead_id, body) &&
               (reader.read_members(payload, body) || reader.at("payload"));
      },
      out);
}

/// The wire form as a struct of its own.
struct WireEvent {
  std::int64_t seq = 0;
  std::string event_type;
  std::string agent_id;
  std::string bead_id;
  json::value payload = json::object();
  Instant created_at;
};
constexpr std::array<std::string_view, 6> kWireKeys{"seq",     "event_type", "agent_id",
                                                    "bead_id", "payload",    "created_at"};

bool read_wire(JsonReader& reader, const json::value& v, WireEvent& out) {
  const json::object* object = v.if_object();
  if (!object) return reader.wrong("expected an object");
  for (const auto& [key, value] : *object) {
    bool good = true;
    if (key == "seq")
      good = reader.read(value, out.seq);
    else if (key == "event_type")
      good = reader.read(value, out.event_type);
    else if (key == kAgent)
      good = reader.read(value, out.agent_id);
    else if (key == kBead)
      good = reader.read(value, out.bead_id);
    else if (key == "payload")
      out.payload = value;
    else if (key == "created_at")
      good = reader.read(value, out.created_at);
    else
      return reader.unknown_key(key, kWireKeys);
    if (!good) return reader.at(key);
  }
  return true;
}

}  // namespace

std::string_view about_bead(const EventBody& body) {
  return std::visit(
      [](const auto& fact) -> std::string_view {
        if constexpr (requires { fact.bead_id.text; })
          return fact.bead_id.text;
        else if constexpr (requires { fact.mr_bead_id.text; })
          return fact.mr_bead_id.text;
        else if constexpr (requires { fact.convoy_id.text; })
          return fact.convoy_id.text;
        else if constexpr (requires { fact.entry.text; })
          return fact.entry.text;
        else if constexpr (requires { fact.dependency.bead_id.text; })
          return fact.dependency.bead_id.text;
        else
          return {};
      },
      body);
}

std::string_view fate_text(EventFate fate) {
  switch (fate) {
    case EventFate::applied: return "applied";
    case EventFate::deferred: return "deferred";
    case EventFate::quarantined: return "quarantined";
    case EventFate::refused: return "refused";
  }
  return "quarantined";
}

EventText encode_event(const EventBody& body) {
  Parts parts = parts_of(JsonWriter(Blanks::omit), body);
  return {std::string(event_type(body)), std::move(parts.agent_id), std::move(parts.bead_id),
          json::serialize(parts.payload), kEventFormat};
}

expected<EventBody> decode_event(const EventText& text) {
  if (text.format < 1 || text.format > kEventFormat)
    return fail(Error::Code::internal, "an event is stored in format " + std::to_string(text.format),
                "use the townd that wrote it, or a newer one");
  const auto payload = parse_json(text.payload);
  if (!payload) return tl::unexpected(payload.error());
  JsonReader reader;
  EventBody body;
  if (!read_body(reader, text.event_type, text.agent_id, text.bead_id, *payload, body))
    return tl::unexpected(as_error(reader.issue));
  return body;
}

json::value JsonForm<Event>::write(const JsonWriter& writer, const Event& event) {
  const JsonWriter said(Blanks::omit, nullptr, writer.storage());  // a payload holds what was said and no more
  Parts parts = parts_of(said, event.body);
  json::object object(writer.storage());
  object.emplace("seq", event.seq);
  object.emplace("event_type", event_type(event.body));
  object.emplace(kAgent, writer.write(AgentId(parts.agent_id)));
  object.emplace(kBead, writer.write(BeadId(parts.bead_id)));
  object.emplace("payload", std::move(parts.payload));
  object.emplace("created_at", writer.write(event.created_at));
  return object;
}

bool JsonForm<Event>::read(JsonReader& reader, const json::value& v, Event& out) {
  WireEvent wire;
  if (!read_wire(reader, v, wire)) return false;
  out.seq = wire.seq;
  out.created_at = wire.created_at;
  return read_body(reader, wire.event_type, wire.agent_id, wire.bead_id, wire.payload, out.body);
}

json::value JsonForm<std::shared_ptr<const Event>>::write(const JsonWriter& writer,
                                                          const std::shared_ptr<const Event>& event) {
  return event ? JsonForm<Event>::write(writer, *event) : json::value(nullptr, writer.storage());
}

bool JsonForm<std::shared_ptr<const Event>>::read(JsonReader& reader, const json::value& v,
                                                  std::shared_ptr<const Event>& out) {
  out.reset();
  if (v.is_null()) return true;
  Event event;
  if (!JsonForm<Event>::read(reader, v, event)) return false;
  out = std::make_shared<const Event>(std::move(event));
  return true;
}

}  // namespace townd
