#pragma once

#include "codec/json.hpp"
#include "codec/snapshot.hpp"
#include "core/expected.hpp"

namespace townd::cli {

/// The town that a scenario begins with. `given` has the snapshot's lists in the scenarios' short forms: `id`, `hook`,
/// `assignee`, `parent`, `type` of a dependency, `staged` as 0 or 1, a convoy and its bead in one.
expected<Snapshot> given_town(const json::object& scenario);

}  // namespace townd::cli
