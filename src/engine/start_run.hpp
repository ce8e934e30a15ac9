#pragma once

#include "engine/carry_out.hpp"

namespace townd {

/// The start of a run: the work that it builds on is fetched, its token made, its texts read, its agent started.
std::variant<Job, Found> start_run(const Hands& hands, const Town& town, const RunId& run, Instant now);

}  // namespace townd
