#pragma once

#include "cli/session.hpp"

namespace townd::cli {

/// `town status`, once or (--watch) again at every change.
expected<int> status(Session& session, const Values& values);

}  // namespace townd::cli
