#pragma once

#include "codec/json.hpp"
#include "core/replay.hpp"

namespace townd {

/// What a replay is asked to try, in the words of the request.
struct WhatIf {
  json::object set;                        ///< settings, as in the town's config
  std::vector<std::int64_t> dropped;       ///< facts, by seq
  std::vector<std::string> without_rules;  ///< by id
};
/// The settings are judged by `config`. An unknown rule or key is an error that names the nearest.
expected<Variation> variation_of(const WhatIf& what_if, const TownConfig& config);

/// `replay --json` and the answer of the route (interfaces.md, Files and HTTP): under both their names. `pending`:
/// facts that no tick has taken.
json::object rerun_json(const Rerun& rerun, const Window& window, const std::vector<Event>& pending);

/// What is different between the window's two ends, row by row, and what did it: `{changed: [{kind, id, before, after,
/// by: [{tick, at, what, rule}]}]}` with the members that changed.
json::object changes_json(const Rerun& rerun, const Window& window);

}  // namespace townd
