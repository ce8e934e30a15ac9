#pragma once

#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/event.hpp"
#include "core/expected.hpp"

namespace townd {

/// What stored events and ticks are written in. A newer number is refused; every older one is read for ever.
inline constexpr int kEventFormat = 1;

/// An event's columns: whom it is about stands beside the payload, as in the reference.
struct EventText {
  std::string event_type;
  std::string agent_id;
  std::string bead_id;
  std::string payload;  ///< a JSON object
  int format = kEventFormat;
};

EventText encode_event(const EventBody& body);
expected<EventBody> decode_event(const EventText& text);

/// The wire form {seq, event_type, agent_id, bead_id, payload, created_at}, as snapshots and answers show it.
json::value event_json(const Event& event);
expected<Event> event_from_json(const json::value& v);

/// The body of the event called `event_type`, read from its members; the way in for requests.
expected<EventBody> event_body(std::string_view event_type, const json::value& members);

}  // namespace townd
