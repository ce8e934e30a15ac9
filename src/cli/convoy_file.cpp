#include "cli/convoy_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <span>

#include "cli/client.hpp"
#include "cli/input.hpp"
#include "codec/toml.hpp"

namespace townd::cli {

namespace {

constexpr std::array<std::string_view, 7> kConvoyKeys{"title",  "tasks",           "task", "merge_mode",
                                                      "staged", "on_failed_child", "rig"};
constexpr std::array<std::string_view, 10> kTaskKeys{"name",  "title",    "body",   "body_file", "rig",
                                                     "after", "priority", "labels", "metadata",  "depends_on"};
constexpr std::size_t kBodyLimit = 256 * 1024;

tl::unexpected<Error> wrong(const std::string& path, const std::string& what) {
  return fail(Error::Code::invalid, path + ": " + what, "The form of the file is in: town convoy new --help");
}

expected<void> known_keys(const std::string& path, const std::string& where, const json::object& object,
                          std::span<const std::string_view> known) {
  for (const auto& [key, value] : object) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) != known.end()) continue;
    const std::string near(nearest(key, known));
    return wrong(path, where + " has an unknown key \"" + std::string(key) + "\"" +
                           (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
  return {};
}

expected<json::value> from_toml(const std::string& text, const std::string& path) {
  auto document = parse_toml(text, path);
  if (!document) return tl::unexpected(document.error());
  return std::move(document->value);
}

/// A list, or one thing that stands for a list of it.
json::array listed(const json::value& value) {
  if (value.is_null()) return {};
  return value.is_array() ? value.get_array() : json::array{value};
}

/// The places of the tasks that `task` names in `after`.
expected<json::array> places_of(const std::string& path, const json::value& task,
                                const std::map<std::string, std::int64_t>& places) {
  json::array after;
  for (const json::value& earlier : listed(member_of(task, "after"))) {
    const std::string name = earlier.is_string() ? std::string(earlier.get_string()) : json::serialize(earlier);
    const auto found = places.find(name);
    if (found == places.end())
      return wrong(path, "\"" + text_of(task, "title") + "\" comes after \"" + name + "\", but no task has that name");
    after.emplace_back(found->second);
  }
  for (const json::value& place : listed(member_of(task, "depends_on"))) after.push_back(place);
  return after;
}

expected<json::object> read_task(const std::string& path, const json::value& task, std::size_t place,
                                 const std::map<std::string, std::int64_t>& places) {
  const std::string where = "task " + std::to_string(place + 1);
  if (!task.is_object()) return wrong(path, where + " is not a table");
  if (const auto known = known_keys(path, where, task.get_object(), kTaskKeys); !known)
    return tl::unexpected(known.error());
  if (text_of(task, "title").empty()) return wrong(path, where + " has no title");
  json::object made{{"title", text_of(task, "title")}};
  for (const char* key : {"body", "priority", "labels", "metadata"})
    if (const json::value& value = member_of(task, key); !value.is_null()) made[key] = value;
  if (const std::string file = text_of(task, "body_file"); !file.empty()) {
    const auto body = file_contents((std::filesystem::path(path).parent_path() / file).string(), kBodyLimit);
    if (!body) return tl::unexpected(body.error());
    made["body"] = *body;
  }
  if (const std::string rig = text_of(task, "rig"); !rig.empty()) made["rig_id"] = rig;
  auto after = places_of(path, task, places);
  if (!after) return tl::unexpected(after.error());
  if (!after->empty()) made["depends_on"] = std::move(*after);
  return made;
}

}  // namespace

expected<ConvoyFile> read_convoy_file(const std::string& path, const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool as_json = first != std::string::npos && text[first] == '{';
  auto document = as_json ? parse_json(text) : from_toml(text, path);
  if (!document) return tl::unexpected(document.error());
  if (!document->is_object()) return wrong(path, "the file is not a convoy");
  if (const auto known = known_keys(path, "the convoy", document->get_object(), kConvoyKeys); !known)
    return tl::unexpected(known.error());
  if (document->get_object().contains("task") && document->get_object().contains("tasks"))
    return wrong(path, "it has both \"task\" and \"tasks\"; write all of them under one");
  const json::array& tasks = list_of(*document, member_of(*document, "task").is_null() ? "tasks" : "task");
  if (text_of(*document, "title").empty()) return wrong(path, "the convoy has no title");
  if (tasks.empty()) return wrong(path, "the convoy has no task");

  std::map<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (const std::string name = text_of(tasks[i], "name"); !name.empty() && !places.emplace(name, i).second)
      return wrong(path, "two tasks are called \"" + name + "\"");

  ConvoyFile file;
  file.request["title"] = text_of(*document, "title");
  for (const char* key : {"merge_mode", "staged", "on_failed_child"})
    if (const json::value& value = member_of(*document, key); !value.is_null()) file.request[key] = value;
  if (const std::string rig = text_of(*document, "rig"); !rig.empty()) file.request["rig_id"] = rig;
  json::array made;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto task = read_task(path, tasks[i], i, places);
    if (!task) return tl::unexpected(task.error());
    if (const std::string rig = text_of(*task, "rig_id"); !rig.empty()) file.rigs.push_back(rig);
    made.push_back(std::move(*task));
  }
  file.request["tasks"] = std::move(made);
  return file;
}

}  // namespace townd::cli
