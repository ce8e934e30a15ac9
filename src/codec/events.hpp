#pragma once

#include <string>
#include <string_view>

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

}  // namespace townd
