#include "codec/config.hpp"

#include <array>

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"

namespace townd {
namespace {

void get_config(const CallPtr& call) {
  call->look([call](const Engine::View& view) { call->succeed(settings_json(view.town.config())); });
}

/// What no town can be set to, or nothing.
expected<void> sound(const TownConfig& config, const TownConfig& before, const Services& services) {
  if (config.merge_strategy == Strategy::pr && before.merge_strategy != Strategy::pr)
    if (auto forge = forge_set_up(services.node); !forge) return forge;
  if (config.mayor_preset == "script")
    return fail(Error::Code::invalid, "the preset script runs a bead's body, and the mayor has none",
                "name an agent program; `town agent check` shows them");
  for (const auto& [now, then] : {std::pair{&config.polecat_preset, &before.polecat_preset},
                                  {&config.refinery_preset, &before.refinery_preset},
                                  {&config.mayor_preset, &before.mayor_preset}})
    if (*now != *then)
      if (auto known = known_preset(services.presets, *now); !known) return known;
  return {};
}

void patch_config(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    TownConfig config = view.town.config();
    const int version = config.version;
    JsonReader reader;
    if (!read_settings(reader, call->arguments().all(), config))
      return call->respond(failure(400, "the settings are not right: " + reader.issue.message,
                                   "town config list shows every key", {reader.issue}));
    if (auto right = sound(config, view.town.config(), call->services()); !right) return call->fail(right.error());
    config.version = version + 1;
    call->submit(events::ConfigChanged{std::move(config)}, [call](const Receipt&) { get_config(call); });
  });
}

/// As a key of townd.toml has it: `max_polecats` of `town.max_polecats`.
std::string_view name_in_section(std::string_view key) { return key.substr(key.find('.') + 1); }

/// What a rig says over the town, by the town's member; an explicit "never" is null.
json::object said_by(const RigConfig& config) {
  json::object said;
  const json::value all = to_json(config);
  for (const auto& [name, value] : all.get_object()) {
    const bool text = value.is_string() && !value.get_string().empty();
    if (text || value.is_bool() || value.is_number()) said.emplace(name, value);
  }
  if (config.has_auto_merge_delay) said.emplace("auto_merge_delay_minutes", nullptr);
  return said;
}

json::value value_of(const std::string& toml) {
  json::error_code none;
  json::value value = json::parse(toml.empty() ? "null" : toml, none);
  return none ? json::value(toml) : value;
}

/// Every key with the value that counts here and who said it, which is told from the values themselves.
void list_keys(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const std::string named = call->arguments().text("rig");
    const Rig* rig = find_rig(view.town, named);
    if (!named.empty() && rig == nullptr) return call->fail(no_rig(named));
    const json::object over = rig != nullptr ? said_by(rig->config) : json::object{};
    const NodeSettings& node = call->services().node;
    NodeSettings here = node;
    here.town = view.town.config();
    const std::vector<ConfigKey> now = config_keys(here);
    const std::vector<ConfigKey> begun = config_keys(node);
    json::array rows;
    for (std::size_t i = 0; i < now.size(); ++i) {
      const bool of_town = now[i].key.starts_with("town.") || now[i].key == "reconciler.max_dispatch_attempts";
      const json::value* by_rig = of_town ? over.if_contains(name_in_section(now[i].key)) : nullptr;
      std::string_view from = "default";
      if (by_rig != nullptr)
        from = "rig";
      else if (now[i].value != begun[i].value)
        from = "town";
      else if (begun[i].from_file)
        from = "townd.toml";
      else if (begun[i].value != begun[i].default_value)
        from = "command line";
      rows.push_back({{"key", now[i].key},
                      {"value", by_rig != nullptr ? *by_rig : value_of(now[i].value)},
                      {"default", value_of(now[i].default_value)},
                      {"from", from},
                      {"meaning", now[i].meaning}});
    }
    call->succeed(std::move(rows));
  });
}

constexpr std::array<NamedHandler, 3> kHandlers{{
    {"config.get", get_config},
    {"config.patch", patch_config},
    {"config.keys", list_keys},
}};

}  // namespace

std::span<const NamedHandler> config_handlers() { return kHandlers; }

}  // namespace townd
