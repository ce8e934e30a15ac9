#pragma once

#include "engine/engine.hpp"

namespace townd::sim {

/// What a person would do for everything in this town that waits for one: take up failed children of open convoys, free
/// what is held, acknowledge escalations, close triage requests.
void help_out(Engine& engine, const TownId& town);

}  // namespace townd::sim
