#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/session.hpp"

namespace townd::cli {

/// One look at something: as JSON, and as the lines of a page.
struct Seen {
  json::value value;
  std::vector<std::string> page;
};
using Look = std::function<expected<Seen>()>;

/// Looks again whenever the town's event stream says that something changed. On a terminal it takes the whole screen
/// until q or Ctrl-C; else it prints each page, with --json each value in a line.
expected<int> watch(Session& session, const Look& look);

/// Looks once, or (--watch) again at every change.
expected<int> show_or_watch(Session& session, const Values& values, const Look& look);

}  // namespace townd::cli
