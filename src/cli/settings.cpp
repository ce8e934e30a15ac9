#include "cli/settings.hpp"

namespace townd::cli {

namespace {

constexpr std::string_view kTown = "town.";
constexpr std::string_view kReconciler = "reconciler.";
constexpr std::string_view kRefinery = "refinery";  ///< some of the town's own stand in a group of this name
constexpr std::string_view kReconcilerGroup = "reconciler";

void collect(std::string_view prefix, const json::object& values, std::vector<std::string>& into) {
  for (const auto& [name, value] : values)
    if (!value.is_object() && name != "version") into.push_back(std::string(prefix) + std::string(name));
}

const json::object* group_of(const json::value& config, std::string_view name) {
  const auto* object = config.if_object();
  const auto* group = object != nullptr ? object->if_contains(name) : nullptr;
  return group != nullptr ? group->if_object() : nullptr;
}

/// Where a key stands in the daemon's answer.
struct Where {
  std::string_view group;  ///< empty at the top
  std::string_view name;
  const json::value* value = nullptr;
};

Where find(const json::value& config, std::string_view key) {
  const auto in = [&](std::string_view group, std::string_view name) {
    const json::object* object = group.empty() ? config.if_object() : group_of(config, group);
    const json::value* value = object != nullptr ? object->if_contains(name) : nullptr;
    return Where{group, name, value != nullptr && !value->is_object() && name != "version" ? value : nullptr};
  };
  if (key.starts_with(kReconciler)) return in(kReconcilerGroup, key.substr(kReconciler.size()));
  if (key.starts_with(kTown)) key.remove_prefix(kTown.size());
  const Where top = in("", key);
  return top.value != nullptr ? top : in(kRefinery, key);
}

/// What stands in townd.toml and is the node's, not a town's.
bool of_the_node(std::string_view key) {
  const std::string_view section = key.substr(0, key.find('.'));
  return section == "limits" || section == "server" || section == "store" || section == "log" || section == "metrics" ||
         section == "events" || section == "upgrade" || section == "github" || section == "gitlab" ||
         section == "gitea" || section == "sentry" || section == "webhook" || section == "alerts";
}

}  // namespace

std::vector<std::string> setting_keys(const json::value& config) {
  std::vector<std::string> keys;
  if (const json::object* all = config.if_object()) collect(kTown, *all, keys);
  if (const json::object* refinery = group_of(config, kRefinery)) collect(kTown, *refinery, keys);
  if (const json::object* constants = group_of(config, kReconcilerGroup)) collect(kReconciler, *constants, keys);
  return keys;
}

expected<const json::value*> setting_named(const json::value& config, const std::string& key) {
  if (const Where found = find(config, key); found.value != nullptr) return found.value;
  if (of_the_node(key))
    return fail(Error::Code::invalid, key + " is the node's, not a town's",
                "set it in townd.toml and start the daemon again; town config list shows it");
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
  const Where where = find(config, key);
  json::object set{{where.name, std::move(value)}};
  return where.group.empty() ? set : json::object{{where.group, std::move(set)}};
}

}  // namespace townd::cli
