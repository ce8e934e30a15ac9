#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/config.hpp"
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

/// An error when no agent program has this name; it names those that there are.
expected<void> known_preset(const std::vector<std::string>& presets, const std::string& name);

/// An error that says what to do when townd.toml names no host of pull requests.
expected<void> forge_set_up(const NodeSettings& node);

}  // namespace townd
