#include "cli/session.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/gates_found.hpp"
#include "core/text.hpp"

namespace townd::cli {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string canonical(const std::string& path) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(path, error);
  return error ? path : whole.string();
}

/// The element whose id or name is `wanted`, or null.
const json::value* named(const json::array& list, std::string_view id_key, std::string_view wanted) {
  for (const json::value& element : list)
    if (text_of(element, id_key) == wanted) return &element;
  for (const json::value& element : list)
    if (text_of(element, "name") == wanted) return &element;
  for (const json::value& element : list)
    if (lower(text_of(element, "name")) == lower(wanted)) return &element;
  return nullptr;
}

std::string names(const json::array& list) {
  std::string text;
  for (const json::value& element : list) {
    const std::string name = text_of(element, "name");
    const auto same = std::count_if(list.begin(), list.end(),
                                    [&](const json::value& other) { return text_of(other, "name") == name; });
    const std::string id = text_of(element, "town_id");
    text += (text.empty() ? "" : ", ") + (same > 1 && !id.empty() ? id : name);
  }
  return text;
}

}  // namespace

expected<Place> Session::place() { return find_place(values_); }

expected<Client*> Session::client() {
  if (!client_) {
    auto found = find_place(values_);
    if (!found) return tl::unexpected(found.error());
    client_ = std::make_unique<Client>(std::move(*found));
  }
  return client_.get();
}

expected<json::value> Session::all_towns() {
  const auto daemon = client();
  if (!daemon) return tl::unexpected(daemon.error());
  return (*daemon)->call("town.list", {});
}

expected<Session::Around> Session::around() {
  std::error_code error;
  const std::string tree = work_tree_around(std::filesystem::current_path(error).string());
  if (error || tree.empty()) return Around{};
  const auto towns = all_towns();
  if (!towns) return tl::unexpected(towns.error());
  for (const json::value& town : list_of(*towns)) {
    const std::string id = text_of(town, "town_id");
    const auto rigs = (*client())->call("rig.list", {{"town", id}});
    if (!rigs) return tl::unexpected(rigs.error());
    for (const json::value& rig : list_of(*rigs))
      if (canonical(text_of(rig, "git_url")) == tree) return Around{id, text_of(rig, "rig_id")};
  }
  return Around{};
}

expected<std::string> Session::town(std::string_view id) {
  if (!town_.empty()) return town_;
  const std::string wanted = values_.text("--town", environment("TOWN_ID"));
  const auto found_place = place();
  if (!found_place) return tl::unexpected(found_place.error());
  if (found_place->agent) {  // its token is good for one town only; it may not list them
    if (wanted.empty())
      return fail(Error::Code::invalid, "this run does not know its town: TOWN_ID is not set",
                  "Call town from the environment that the run was started with.");
    return town_ = wanted;
  }
  const auto towns = all_towns();
  if (!towns) return tl::unexpected(towns.error());
  const json::array& list = list_of(*towns);
  if (!wanted.empty()) {
    const json::value* found = named(list, "town_id", wanted);
    if (found == nullptr)
      return fail(Error::Code::not_found, "there is no town \"" + wanted + "\"",
                  list.empty() ? "Make one with: town new NAME" : "There are: " + names(list));
    return town_ = text_of(*found, "town_id");
  }
  if (list.empty())
    return fail(Error::Code::not_found, "there is no town yet",
                "In a repository of yours: town init. Or make an empty one: town new NAME");
  const std::string_view prefix = id.substr(0, id.find('-'));
  for (const json::value& town : list)
    if (!prefix.empty() && prefix.size() < id.size() && text_of(town, "prefix") == prefix)
      return town_ = text_of(town, "town_id");
  if (list.size() == 1) return town_ = text_of(list[0], "town_id");
  const auto here = around();
  if (!here) return tl::unexpected(here.error());
  if (!here->town.empty()) return town_ = here->town;
  return fail(Error::Code::invalid, "there are several towns: " + names(list), "Say which one: --town NAME");
}

expected<std::string> Session::rig_named(const std::string& wanted) {
  const auto rigs = in_town("rig.list");
  if (!rigs) return tl::unexpected(rigs.error());
  const json::array& list = list_of(*rigs);
  const json::value* found = named(list, "rig_id", wanted);
  if (found == nullptr)
    return fail(Error::Code::not_found, "the town has no rig \"" + wanted + "\"",
                list.empty() ? "Add one: town rig add PATH" : "It has: " + names(list));
  return text_of(*found, "rig_id");
}

expected<std::string> Session::agent_named(const std::string& wanted) {
  const auto agents = in_town("agent.list", {}, {{"limit", 500}}, wanted);
  if (!agents) return tl::unexpected(agents.error());
  const json::value* found = named(list_of(*agents), "agent_id", wanted);
  if (found == nullptr)
    return fail(Error::Code::not_found, "there is no agent \"" + wanted + "\"", "See them with: town agents");
  return text_of(*found, "agent_id");
}

expected<std::string> Session::rig() {
  if (!rig_.empty()) return rig_;
  const std::string wanted = values_.text("--rig", environment("TOWN_RIG"));
  const auto found_place = place();
  if (!found_place) return tl::unexpected(found_place.error());
  if (found_place->agent && !wanted.empty()) return rig_ = wanted;
  if (!wanted.empty()) {
    const auto found = rig_named(wanted);
    if (found) rig_ = *found;
    return found;
  }
  const auto rigs = in_town("rig.list");
  if (!rigs) return tl::unexpected(rigs.error());
  const json::array& list = list_of(*rigs);
  if (list.empty())
    return fail(Error::Code::not_found, "the town has no rig (a repository to work on) yet",
                "Add one: town rig add PATH");
  if (list.size() == 1) return rig_ = text_of(list[0], "rig_id");
  const auto here = around();
  if (!here) return tl::unexpected(here.error());
  if (here->town == town_ && !here->rig.empty()) return rig_ = here->rig;
  return fail(Error::Code::invalid, "the town has several rigs: " + names(list), "Say which one: --rig NAME");
}

expected<json::value> Session::in_town(std::string_view operation, Client::Path parts, json::object fields,
                                       std::string_view id) {
  const auto daemon = client();
  if (!daemon) return tl::unexpected(daemon.error());
  const auto own_town = town(id);
  if (!own_town) return tl::unexpected(own_town.error());
  parts.emplace_back("town", *own_town);
  return (*daemon)->call(operation, parts, std::move(fields));
}

}  // namespace townd::cli
