#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/image.hpp"
#include "core/record.hpp"

namespace townd {

/// A stretch of a town's past with the state before it: all that it takes to decide it again somewhere else.
struct Bundle {
  std::string about;  ///< why it was made: a bead, a tick
  std::string build;  ///< the townd that made it
  std::int64_t start_tick = 0;
  Instant start_at;                 ///< that tick's time
  TownImage start;                  ///< after that tick
  std::vector<RecordedTick> ticks;  ///< all that followed, to the end
  Instant until;                    ///< what happened later is not in it
  std::vector<Event> pending;       ///< arrived by then and not taken by a tick yet
};

}  // namespace townd
