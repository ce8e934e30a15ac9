#pragma once

#include <string_view>

#include "core/expected.hpp"
#include "core/time.hpp"

namespace townd {

/// A part of each day, in the node's own time zone, in minutes after midnight. It may go past midnight.
struct QuietHours {
  int from = 0;
  int to = 0;
};

/// `22:00-07:00`.
expected<QuietHours> read_quiet_hours(std::string_view text);

/// Minutes after midnight here.
int minute_of_day(Instant now);

/// How long they still last; nothing outside of them.
Duration quiet_for(const QuietHours& quiet, Instant now);

}  // namespace townd
