#include "server/find.hpp"

#include <algorithm>
#include <string>

#include "core/text.hpp"

namespace townd {
namespace {

/// People write names as they hear them.
bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

const Rig* find_rig(const Town& town, std::string_view id_or_name) {
  if (id_or_name.empty()) return nullptr;
  if (const Rig* rig = town.rig(RigId(id_or_name))) return rig;
  const Rig* found = nullptr;
  for (const RigId& id : town.rig_ids()) {
    const Rig* rig = town.rig(id);
    if (rig->name != id_or_name) continue;
    if (found) return nullptr;
    found = rig;
  }
  return found;
}

const Agent* find_agent(const Town& town, std::string_view id_or_name) {
  if (id_or_name.empty()) return nullptr;
  if (const Agent* agent = town.agent(AgentId(id_or_name))) return agent;
  const Agent* found = nullptr;
  for (const AgentId& id : town.agent_ids()) {
    const Agent* agent = town.agent(id);
    if (!same_letters(agent->name, id_or_name)) continue;
    if (found) return nullptr;
    found = agent;
  }
  return found;
}

Error no_rig(std::string_view id_or_name) {
  return Error{Error::Code::not_found, "there is no rig " + std::string(id_or_name) + " in this town",
               "town rig list shows the rigs"};
}

Error no_agent(std::string_view id_or_name) {
  return Error{Error::Code::not_found, "there is no agent " + std::string(id_or_name) + " here",
               "town agents shows them"};
}

expected<void> known_preset(const std::vector<std::string>& presets, const std::string& name) {
  if (std::find(presets.begin(), presets.end(), name) != presets.end()) return {};
  std::string known;
  for (const std::string& preset : presets) known += (known.empty() ? "" : ", ") + preset;
  return fail(
      Error::Code::invalid, "there is no preset \"" + name + "\"",
      "presets are " + known + "; another one is a file in `presets` of the data folder, read when townd starts");
}

expected<void> forge_set_up(const NodeSettings& node) {
  if (node.names_forge()) return {};
  return fail(Error::Code::conflict, "merge_strategy pr needs a host of pull requests, and none is set up",
              "name one in townd.toml, see docs/forges.md, and start townd again");
}

}  // namespace townd
