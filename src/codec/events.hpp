#pragma once

#include <string>
#include <string_view>

#include "core/event.hpp"
#include "core/expected.hpp"
#include "core/tick.hpp"

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

/// The bead that a fact is about; empty when it is about none, or about one that does not exist yet.
std::string_view about_bead(const EventBody& body);
/// What became of an event, as it is stored and shown.
std::string_view fate_text(EventFate fate);

EventText encode_event(const EventBody& body);
expected<EventBody> decode_event(const EventText& text);

}  // namespace townd
