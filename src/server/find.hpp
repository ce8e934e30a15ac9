#pragma once

#include <string_view>

#include "core/expected.hpp"
#include "core/town.hpp"

namespace townd {

/// A rig by its id, or by its name when no other has the same. Null: no such rig.
const Rig* find_rig(const Town& town, std::string_view id_or_name);
/// An agent by its id, or by its name when no other has the same. Null: no such agent.
const Agent* find_agent(const Town& town, std::string_view id_or_name);

/// What is answered when they find none.
Error no_rig(std::string_view id_or_name);
Error no_agent(std::string_view id_or_name);

}  // namespace townd
