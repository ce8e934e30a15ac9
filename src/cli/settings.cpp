#include "cli/settings.hpp"

namespace townd::cli {

namespace {

constexpr std::string_view kTown = "town.";
constexpr std::string_view kReconciler = "reconciler.";
constexpr std::string_view kConstants = "constants";

void collect(std::string_view prefix, const json::value& values, std::vector<std::string>& into) {
  const auto* object = values.if_object();
  if (object == nullptr) return;
  for (const auto& [name, value] : *object)
    if (!value.is_object() && name != "version") into.push_back(std::string(prefix) + std::string(name));
}

}  // namespace

std::vector<std::string> setting_keys(const json::value& config) {
  std::vector<std::string> keys;
  collect(kTown, config, keys);
  const auto* object = config.if_object();
  const auto* constants = object != nullptr ? object->if_contains(kConstants) : nullptr;
  if (constants != nullptr) collect(kReconciler, *constants, keys);
  return keys;
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
  const std::vector<std::string> keys = setting_keys(config);
  const std::vector<std::string_view> known(keys.begin(), keys.end());
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
