#pragma once

#include <functional>

#include "engine/engine.hpp"
#include "observe/metrics.hpp"
#include "server/workers.hpp"

namespace townd {

/// Has metrics read all towns of which something may be otherwise than they know, then runs `then` on a worker's
/// thread.
void read_towns(Engine& engine, Metrics& metrics, Workers& workers, std::function<void()> then);

}  // namespace townd
