#pragma once

#include <functional>

#include "server/call.hpp"

namespace townd {

/// What a run's token is good for (interfaces.md, Security): operations of its role, in its own town and rig, on
/// itself, as long as its run lives, and for `after_end` operations 24 h longer. Goes on with `proceed` on a worker's
/// thread, or answers 401 or 403.
void check_run(const CallPtr& call, std::function<void()> proceed);

}  // namespace townd
