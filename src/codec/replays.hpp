#pragma once

#include "codec/json.hpp"
#include "core/replay.hpp"

namespace townd {

/// `replay --json` and the answer of the route (interfaces.md, Files and HTTP): under both their names.
json::object rerun_json(const Rerun& rerun, const Window& window);

/// What is different between the window's two ends, row by row, and what did it: `{changed: [{kind, id, before, after,
/// by: [{tick, at, what, rule}]}]}` with the members that changed.
json::object changes_json(const Rerun& rerun, const Window& window);

}  // namespace townd
