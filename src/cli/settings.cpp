#include "cli/settings.hpp"

#include <algorithm>

#include "codec/config.hpp"

namespace townd::cli {

namespace {

constexpr std::string_view kTown = "town.";
constexpr std::string_view kReconciler = "reconciler.";
constexpr std::string_view kConstants = "constants";

std::string as_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

void collect(std::string_view prefix, const json::value& values, const std::vector<ConfigKey>& known,
             std::vector<Setting>& into) {
  const auto* object = values.if_object();
  if (object == nullptr) return;
  for (const auto& [name, value] : *object) {
    if (value.is_object() || name == "version") continue;
    Setting setting{std::string(prefix) + std::string(name), as_text(value), {}, {}};
    const auto described =
        std::find_if(known.begin(), known.end(), [&](const ConfigKey& key) { return key.key == setting.key; });
    if (described != known.end()) {
      setting.default_value = described->default_value;
      setting.meaning = described->meaning;
    }
    into.push_back(std::move(setting));
  }
}

}  // namespace

std::vector<Setting> settings_in(const json::value& config) {
  const std::vector<ConfigKey> known = config_keys(NodeSettings{});
  std::vector<Setting> settings;
  collect(kTown, config, known, settings);
  const auto* object = config.if_object();
  const auto* constants = object != nullptr ? object->if_contains(kConstants) : nullptr;
  if (constants != nullptr) collect(kReconciler, *constants, known, settings);
  return settings;
}

expected<const json::value*> setting_named(const json::value& config, const std::string& key) {
  std::string_view name = key;
  const json::value* group = &config;
  if (name.starts_with(kReconciler)) {
    name.remove_prefix(kReconciler.size());
    group = config.is_object() ? config.get_object().if_contains(kConstants) : nullptr;
  } else if (name.starts_with(kTown)) {
    name.remove_prefix(kTown.size());
  }
  const auto* object = group != nullptr ? group->if_object() : nullptr;
  const auto* found = object != nullptr ? object->if_contains(name) : nullptr;
  if (found != nullptr && !found->is_object()) return found;
  const std::vector<Setting> settings = settings_in(config);
  std::vector<std::string_view> known;
  for (const Setting& setting : settings) known.emplace_back(setting.key);
  const std::string near(nearest(key.find('.') == std::string::npos ? std::string(kTown) + key : key, known));
  return fail(Error::Code::not_found, "there is no setting \"" + key + "\"",
              (near.empty() ? "" : "Did you mean " + near + "? ") + std::string("See them with: town config list"));
}

expected<json::object> patch_for(const json::value& config, const std::string& key, const std::string& text) {
  const auto now = setting_named(config, key);
  if (!now) return tl::unexpected(now.error());
  json::value value(text);
  if (!(*now)->is_string()) {  // numbers, truth values and lists are written as in JSON; anything else is a text
    boost::system::error_code no_json;
    json::value parsed = json::parse(text, no_json);
    if (!no_json) value = std::move(parsed);
  }
  std::string_view name = key;
  if (name.starts_with(kReconciler))
    return json::object{{kConstants, json::object{{name.substr(kReconciler.size()), std::move(value)}}}};
  if (name.starts_with(kTown)) name.remove_prefix(kTown.size());
  return json::object{{name, std::move(value)}};
}

}  // namespace townd::cli
