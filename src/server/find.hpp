#pragma once

#include <string_view>

#include "core/town.hpp"

namespace townd {

/// A rig by its id, or by its name when no other has the same. Null: no such rig.
const Rig* find_rig(const Town& town, std::string_view id_or_name);
/// An agent by its id, or by its name when no other has the same. Null: no such agent.
const Agent* find_agent(const Town& town, std::string_view id_or_name);

}  // namespace townd
