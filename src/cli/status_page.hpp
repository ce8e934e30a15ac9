#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

namespace townd::cli {

/// What a page about a town is made of.
struct TownNow {
  json::value status;
  json::array beads;  ///< those under way
  json::array agents;
};

/// Reads it; with --json only the status.
expected<TownNow> town_now(Session& session);

/// The page's lines: the town's name, problems, what moves, the rest.
std::vector<std::string> status_page(const Terminal& terminal, const TownNow& now);

/// `town status`, once or (--watch) again at every change.
expected<int> status(Session& session, const Values& values);

}  // namespace townd::cli
