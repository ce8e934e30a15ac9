#pragma once

#include "server/doctor/finding.hpp"
#include "server/services.hpp"

namespace townd::doctor {

/// Makes every check on a running daemon. Blocks: it asks the engine, the disk and the rigs' sources.
Report examine(Services& services);

/// Has an event that could not be applied tried again; an error says why it failed once more. Blocks.
expected<void> retry_event(Services& services, const TownId& town, std::int64_t seq, const std::string& actor);

}  // namespace townd::doctor
