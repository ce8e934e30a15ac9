#include "cli/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/json.hpp"

namespace townd::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(SCENARIO_FOLDER))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// One scenario that passes: a bead is failed at its cap.
json::value small_file() {
  return json::parse(R"({"format": "town-scenarios/1", "scenarios": [{
    "id": "X-1", "now": "2026-07-01T12:00:00.000Z",
    "given": {"beads": [{"id": "b1", "dispatch_attempts": 5, "labels": ["a", "b"]}]},
    "when": [{"op": "tick"}],
    "expect": {"actions": [{"type": "transition_bead", "bead_id": "b1", "from": "open", "to": "failed"}],
               "states": {"beads": {"b1": {"status": "failed", "labels": ["b"]}}}}}]})");
}

/// Why the scenario fails after `change`; empty when it passes.
template <class Change>
std::string why_after(Change change) {
  json::value file = small_file();
  change(file.at("scenarios").at(0));
  const auto results = play_scenarios(json::serialize(file));
  return results ? results->at(0).why : results.error().what;
}

TEST(Scenarios, EveryFileInThisFolderPasses) {
  std::ostringstream out;
  const auto exit = run_scenarios(scenario_files(), false, out);
  ASSERT_TRUE(exit) << exit.error().what;
  EXPECT_EQ(*exit, 0) << out.str();
}

TEST(Scenarios, TheReferenceHas113OfWhichAllPass) {
  std::ostringstream out;
  const auto exit = run_scenarios({SCENARIO_FOLDER "/reference.json"}, false, out);
  ASSERT_TRUE(exit) << exit.error().what;
  EXPECT_THAT(out.str(), StartsWith("S-001 pass\nS-002 pass\n"));
  EXPECT_THAT(out.str(), EndsWith("\n113 of 113 passed\n"));
}

/// Every single value below `v`, where null says something only if `null_counts`.
void collect_values(json::value& v, bool null_counts, std::vector<json::value*>& found) {
  if (json::object* object = v.if_object()) {
    for (auto& member : *object) collect_values(member.value(), null_counts, found);
  } else if (json::array* array = v.if_array()) {
    for (json::value& element : *array) collect_values(element, null_counts, found);
  } else if (null_counts || !v.is_null()) {
    found.push_back(&v);
  }
}

TEST(Scenarios, EveryExpectedValueOfTheReferenceFailsWhenItIsChanged) {
  const json::value file = json::parse(contents(SCENARIO_FOLDER "/reference.json"));
  int changed = 0;
  for (const json::value& original : file.at("scenarios").as_array()) {
    json::value one{{"format", "town-scenarios/1"}, {"scenarios", {original}}};
    json::object& expect = one.at("scenarios").at(0).at("expect").as_object();
    std::vector<json::value*> values;
    if (expect.contains("actions")) collect_values(expect.at("actions"), false, values);
    if (expect.contains("states")) collect_values(expect.at("states"), true, values);
    for (json::value* value : values) {
      const json::value before = *value;
      *value = "changed";
      const auto results = play_scenarios(json::serialize(one));
      ASSERT_TRUE(results) << results.error().what;
      EXPECT_FALSE(results->at(0).ok) << results->at(0).id << ": " << before << " can be anything";
      *value = before;
      ++changed;
    }
  }
  EXPECT_GT(changed, 300);
}

TEST(Scenarios, AnActionThatIsMissingOrTooManyFailsAnyOfThem) {
  json::value file = json::parse(contents(SCENARIO_FOLDER "/reference.json"));
  for (json::value& scenario : file.at("scenarios").as_array()) {
    json::object& expect = scenario.at("expect").as_object();
    json::value& actions = expect["actions"];
    if (!actions.is_array()) actions.emplace_array();
    actions.as_array().push_back({{"type", "close_convoy"}, {"convoy_id", "none"}});
  }
  const auto results = play_scenarios(json::serialize(file));
  ASSERT_TRUE(results) << results.error().what;
  for (const ScenarioResult& result : *results) EXPECT_FALSE(result.ok) << result.id;
}

TEST(Scenarios, AChangedStatusIsNamedWithItsPlace) {
  EXPECT_EQ(why_after([](json::value&) {}), "");
  EXPECT_EQ(why_after([](json::value& s) { s.at("expect").at("actions").at(0).at("to") = "open"; }),
            "actions[0].to: expected open, got failed");
  EXPECT_EQ(why_after([](json::value& s) { s.at("expect").at("states").at("beads").at("b1").at("status") = "open"; }),
            "beads.b1.status: expected open, got failed");
  EXPECT_EQ(why_after([](json::value& s) { s.at("expect").at("actions").as_array().clear(); }).substr(0, 27),
            "actions: expected 0, got 1,");
}

TEST(Scenarios, AnExitCodeAndTheLastLineTellAFailure) {
  const fs::path folder = fs::path(testing::TempDir()) / "changed-scenario";
  fs::create_directories(folder);
  json::value file = small_file();
  file.at("scenarios").at(0).at("expect").at("actions").at(0).at("to") = "open";
  std::ofstream(folder / "changed.json") << json::serialize(file);
  std::ostringstream out;
  EXPECT_EQ(*run_scenarios({folder / "changed.json"}, false, out), 1);
  EXPECT_EQ(out.str(), "X-1 FAIL actions[0].to: expected open, got failed\n0 of 1 passed\n");
  out.str("");
  EXPECT_EQ(*run_scenarios({folder / "changed.json"}, true, out), 1);
  EXPECT_EQ(out.str(),
            "{\"passed\":0,\"failed\":1,\"scenarios\":[{\"id\":\"X-1\",\"ok\":false,"
            "\"why\":\"actions[0].to: expected open, got failed\"}]}\n");
  fs::remove_all(folder);
}

TEST(Scenarios, AnUnknownKeyAnywhereFails) {
  EXPECT_THAT(why_after([](json::value& s) { s.as_object()["nwo"] = 1; }), HasSubstr("nwo: unknown key"));
  EXPECT_THAT(why_after([](json::value& s) { s.at("given").as_object()["bead"] = json::array(); }),
              HasSubstr("the nearest known one is \"beads\""));
  EXPECT_THAT(why_after([](json::value& s) { s.at("given").at("beads").at(0).as_object()["lables"] = json::array(); }),
              HasSubstr("/beads/0/lables: unknown key; the nearest known one is \"labels\""));
  EXPECT_THAT(why_after([](json::value& s) { s.at("when").at(0).as_object()["agent"] = "a1"; }),
              HasSubstr("/agent: unknown key"));
  EXPECT_THAT(why_after([](json::value& s) { s.at("expect").as_object()["action"] = json::array(); }),
              HasSubstr("the nearest known one is \"actions\""));
  EXPECT_THAT(why_after([](json::value& s) { s.at("expect").at("states").as_object()["baeds"] = json::object(); }),
              HasSubstr("the nearest known one is \"beads\""));
  EXPECT_EQ(why_after([](json::value& s) { s.at("expect").at("actions").at(0).as_object()["frm"] = nullptr; }),
            "actions[0].frm: unknown key");
  EXPECT_EQ(why_after([](json::value& s) {
              s.at("expect").at("states").at("beads").at("b1").as_object()["asignee"] = nullptr;
            }),
            "beads.b1.asignee: unknown key");
}

TEST(Scenarios, AnUnknownOpFails) {
  EXPECT_EQ(why_after([](json::value& s) { s.at("when").at(0).at("op") = "tock"; }), "when[0]: unknown op \"tock\"");
}

TEST(Scenarios, NullIsNotComparedInAnActionAndIsNullInAState) {
  EXPECT_EQ(why_after([](json::value& s) { s.at("expect").at("actions").at(0).at("from") = nullptr; }), "");
  EXPECT_EQ(why_after([](json::value& s) {
              s.at("expect").at("states").at("beads").at("b1").as_object()["status"] = nullptr;
            }),
            "beads.b1.status: expected null, got failed");
}

TEST(Scenarios, APlaceholderStandsForWhatItSays) {
  const auto with_status = [](std::string_view text) {
    return why_after([&](json::value& s) { s.at("expect").at("states").at("beads").at("b1").at("status") = text; });
  };
  EXPECT_EQ(with_status("<any>"), "");
  EXPECT_EQ(with_status("<contains:ail>"), "");
  EXPECT_EQ(with_status("<in:open,failed>"), "");
  EXPECT_EQ(with_status("<contains:open>"), "beads.b1.status: expected <contains:open>, got failed");
  EXPECT_EQ(with_status("<in:open,fail>"), "beads.b1.status: expected <in:open,fail>, got failed");
  EXPECT_EQ(with_status("<new:issue>"), "beads.b1.status: expected <new:issue>, got failed");
}

TEST(Scenarios, AnActionThatMustNotBeIsFound) {
  EXPECT_THAT(why_after([](json::value& s) {
                s.at("expect").as_object()["actions_absent"] = {{{"type", "transition_bead"}}};
              }),
              StartsWith("actions[0]: expected nothing like"));
}

TEST(Scenarios, AFileOfAnotherFormatIsRefused) {
  const auto results = play_scenarios(R"({"format": "town-snapshot/1"})");
  ASSERT_FALSE(results);
  EXPECT_THAT(results.error().what, HasSubstr("town-scenarios/1"));
}

}  // namespace
}  // namespace townd::cli
