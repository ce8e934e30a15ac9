#pragma once

#include "cli/session.hpp"

namespace townd::cli {

/// `town status --watch`: shows the town again whenever its event stream says that something changed. On a terminal it
/// takes the whole screen until q or Ctrl-C; else it prints each page, with --json each status in a line.
expected<int> watch_status(Session& session);

}  // namespace townd::cli
