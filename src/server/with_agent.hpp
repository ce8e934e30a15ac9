#pragma once

#include <functional>

#include "server/call.hpp"

namespace townd {

/// Calls `use`, on the engine's thread, with the agent that the path names by id or name and, when the path names a
/// rig, of that rig; answers 404 without one.
void with_agent(const CallPtr& call, std::function<void(const Engine::View&, const Agent&)> use);

}  // namespace townd
