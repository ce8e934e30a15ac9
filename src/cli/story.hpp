#pragma once

#include <string>

#include "cli/session.hpp"

namespace townd::cli {

/// Everything that is remembered of one bead and the requests for it, in the order in which it happened: its history,
/// the facts that named it, what was decided about it, and what came of the effects of that.
expected<int> tell_story(Session& session, const std::string& id);

}  // namespace townd::cli
