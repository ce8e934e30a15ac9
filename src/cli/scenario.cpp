#include "cli/scenario.hpp"

#include <array>
#include <ostream>

#include "cli/input.hpp"
#include "cli/scenario_given.hpp"
#include "cli/scenario_match.hpp"
#include "cli/scenario_play.hpp"
#include "codec/json.hpp"

namespace townd::cli {
namespace {

constexpr std::array<std::string_view, 5> kFileKeys{"format", "matching", "ops", "defaults", "scenarios"};
constexpr std::array<std::string_view, 10> kScenarioKeys{"id",     "title",    "covers", "note", "now",
                                                         "config", "draining", "given",  "when", "expect"};
constexpr std::array<std::string_view, 3> kExpectKeys{"actions", "actions_absent", "states"};
constexpr std::size_t kFileLimit = std::size_t{64} << 20;

using Why = std::optional<std::string>;

template <class Keys>
Why unknown_key(const json::object& object, const Keys& keys, const std::string& where) {
  for (const auto& member : object)
    if (std::find(keys.begin(), keys.end(), std::string_view(member.key())) == keys.end())
      return where + std::string(member.key()) + ": unknown key; the nearest known one is \"" +
             std::string(nearest(member.key(), keys)) + "\"";
  return std::nullopt;
}

Why compare_actions(const json::array& expected, const json::array& actual, const Matcher& matcher) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i)
    if (auto why = matcher.mismatch(expected[i], actual[i], "actions[" + std::to_string(i) + "]")) return why;
  if (expected.size() == actual.size()) return std::nullopt;
  std::string why = "actions: expected " + std::to_string(expected.size()) + ", got " + std::to_string(actual.size());
  if (actual.size() > expected.size()) why += ", the first too many " + shown(actual[expected.size()]);
  return why;
}

Why compare_absent(const json::array& absent, const json::array& actual, const Matcher& matcher) {
  for (const json::value& unwanted : absent)
    for (std::size_t i = 0; i < actual.size(); ++i)
      if (!matcher.mismatch(unwanted, actual[i], "actions_absent"))
        return "actions[" + std::to_string(i) + "]: expected nothing like " + shown(unwanted);
  return std::nullopt;
}

Why compare(const json::object& expect, const Played& played) {
  const Matcher actions(Matcher::Null::ignored, played.new_beads());
  const Matcher states(Matcher::Null::compared, played.new_beads());
  if (auto why = unknown_key(expect, kExpectKeys, "expect.")) return why;
  for (const auto& [key, value] : expect) {
    if (key != "states" && !value.is_array()) return "expect." + std::string(key) + ": expected a list";
    if (key == "states" && !value.is_object()) return "expect.states: expected an object";
    Why why;
    if (key == "actions") why = compare_actions(value.get_array(), played.actions(), actions);
    if (key == "actions_absent") why = compare_absent(value.get_array(), played.actions(), actions);
    if (key == "states") why = compare_states(value.get_object(), played, states);
    if (why) return why;
  }
  return std::nullopt;
}

Why play(const json::object& scenario) {
  if (auto why = unknown_key(scenario, kScenarioKeys, "")) return why;
  for (const std::string_view key : {"now", "when", "expect"})
    if (!scenario.contains(key)) return std::string(key) + ": is missing";
  if (!scenario.at("when").is_array()) return "when: expected a list";
  if (!scenario.at("expect").is_object()) return "expect: expected an object";
  auto given = given_town(scenario);
  if (!given) return given.error().what;
  Played played(std::move(*given));
  std::size_t step = 0;
  for (const json::value& op : scenario.at("when").get_array()) {
    if (auto why = played.play(op)) return "when[" + std::to_string(step) + "]: " + *why;
    ++step;
  }
  return compare(scenario.at("expect").get_object(), played);
}

expected<std::vector<ScenarioResult>> play_file(const std::string& path) {
  const auto text = file_contents(path, kFileLimit);
  if (!text) return tl::unexpected(text.error());
  auto results = play_scenarios(*text);
  if (!results) return fail(results.error().code, path + ": " + results.error().what, results.error().hint);
  return results;
}

}  // namespace

expected<std::vector<ScenarioResult>> play_scenarios(std::string_view file) {
  const auto document = parse_json(file);
  if (!document) return tl::unexpected(document.error());
  const json::object* object = document->if_object();
  const json::value* format = object ? object->if_contains("format") : nullptr;
  const json::value* scenarios = object ? object->if_contains("scenarios") : nullptr;
  if (!format || *format != "town-scenarios/1" || !scenarios || !scenarios->is_array())
    return fail(Error::Code::invalid, "not a file of scenarios: its format is not \"town-scenarios/1\"",
                "give a file such as tests/scenario/reference.json");
  if (const auto why = unknown_key(*object, kFileKeys, "")) return fail(Error::Code::invalid, *why, "correct the key");
  std::vector<ScenarioResult> results;
  for (const json::value& scenario : scenarios->get_array()) {
    ScenarioResult result;
    const json::object* members = scenario.if_object();
    const json::value* id = members ? members->if_contains("id") : nullptr;
    result.id = id && id->is_string() ? std::string(id->get_string()) : "#" + std::to_string(results.size() + 1);
    const Why why = members ? play(*members) : Why("expected an object");
    result.ok = !why;
    result.why = why.value_or("");
    results.push_back(std::move(result));
  }
  return results;
}

expected<int> run_scenarios(const std::vector<std::string>& files, bool as_json, std::ostream& out) {
  std::vector<ScenarioResult> results;
  for (const std::string& path : files) {
    auto played = play_file(path);
    if (!played) return tl::unexpected(played.error());
    results.insert(results.end(), std::make_move_iterator(played->begin()), std::make_move_iterator(played->end()));
  }
  const auto passed = std::count_if(results.begin(), results.end(), [](const ScenarioResult& r) { return r.ok; });
  const bool all = static_cast<std::size_t>(passed) == results.size();
  if (as_json) {
    json::array list;
    for (const ScenarioResult& result : results) {
      json::object one{{"id", result.id}, {"ok", result.ok}};
      if (!result.ok) one["why"] = result.why;
      list.push_back(std::move(one));
    }
    const json::object report{{"passed", passed},
                              {"failed", static_cast<std::int64_t>(results.size()) - passed},
                              {"scenarios", std::move(list)}};
    out << json::serialize(report) << '\n';
  } else {
    for (const ScenarioResult& result : results)
      out << result.id << (result.ok ? " pass" : " FAIL " + result.why) << '\n';
    out << passed << " of " << results.size() << " passed\n";
  }
  return all ? 0 : 1;
}

}  // namespace townd::cli
