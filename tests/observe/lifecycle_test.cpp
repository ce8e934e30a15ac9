#include "observe/lifecycle.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>

#include "codec/json.hpp"
#include "engine/node.hpp"
#include "observe/event_file.hpp"
#include "observe/observers.hpp"
#include "store/scratch_folder.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsSupersetOf;

std::string read_all(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What the schema that is shipped does not allow about a line; empty when it allows all.
std::string against_schema(const json::object& line) {
  static const json::value schema = json::parse(read_all(TOWND_SOURCE "/share/lifecycle.schema.json"));
  const json::object& properties = schema.at("properties").as_object();
  for (const json::value& name : schema.at("required").as_array())
    if (!line.contains(name.as_string())) return "it lacks " + std::string(name.as_string());
  for (const auto& [key, value] : line) {
    const json::value* property = properties.if_contains(key);
    if (property == nullptr) return "it has " + std::string(key);
    const json::string& type = property->at("type").as_string();
    const bool right = type == "string"    ? value.is_string()
                       : type == "integer" ? value.is_int64()
                       : type == "number"  ? value.is_number()
                                           : value.is_object();
    if (!right) return std::string(key) + " is no " + std::string(type);
  }
  const json::string& event = line.at("event").as_string();
  if (event.starts_with("http.")) return {};
  for (const json::value& known : properties.at("event").at("anyOf").at(0).at("enum").as_array())
    if (known == line.at("event")) return {};
  return "it is of the kind " + std::string(event);
}

class LifecycleTest : public Node {
 protected:
  LifecycleTest() {
    kill();
    watching = &both;
    start();
  }
  std::multiset<std::string> kinds() {
    std::multiset<std::string> all;
    for (const json::object& line : lines) all.emplace(line.at("event").as_string());
    return all;
  }

  std::vector<json::object> lines;
  Lifecycle lifecycle{[this](const std::string& line) {
                        EXPECT_EQ(line.find('\n'), std::string::npos);
                        lines.push_back(json::parse(line).as_object());
                        EXPECT_EQ(against_schema(lines.back()), "") << line;
                      },
                      clock};
  Observers both{&told, &lifecycle};
};

TEST_F(LifecycleTest, ABeadsWayIsToldFromItsCreationToItsMerge) {
  const RigId rig = town_with_rig();
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  run_for(minutes(2));
  const auto all = kinds();
  EXPECT_EQ(all.count("bead.created"), 2U);  // and its request
  EXPECT_EQ(all.count("agent.spawned"), 2U);
  EXPECT_EQ(all.count("agent.exited"), 2U);
  EXPECT_EQ(all.count("review.submitted"), 1U);
  EXPECT_EQ(all.count("review.completed"), 1U);
  EXPECT_EQ(all.count("bead.closed"), 2U);
  EXPECT_EQ(all.count("container.agent_start_fetch"), 2U);
  const auto tick = std::find_if(lines.begin(), lines.end(), [](const json::object& line) {
    return line.at("event") == "reconciler_tick" && line.at("actions_emitted").as_int64() > 0;
  });
  ASSERT_NE(tick, lines.end());
  for (const char* name : {"duration_ms", "events_drained", "actions_emitted", "label", "effects_attempted",
                           "effects_succeeded", "effects_failed", "violations", "pending_events"})
    EXPECT_TRUE(tick->contains(name)) << name;
  EXPECT_FALSE(tick->at("label").as_object().empty());
}

TEST_F(LifecycleTest, ATickInWhichNothingHappensIsToldOnceAMinute) {
  runtime.manner = [](const AgentSpec&) { return sim::Manner::idles; };
  const RigId rig = town_with_rig();
  must(bead_in(rig));
  ASSERT_TRUE(run_until([&] { return live_runs() == 1; }, minutes(1)));
  run_for(minutes(1));
  lines.clear();
  run_for(minutes(10));
  int ticks = 0;
  for (const json::object& line : lines) ticks += line.at("event") == "reconciler_tick" ? 1 : 0;
  EXPECT_GE(ticks, 9);
  EXPECT_LE(ticks, 14);
}

TEST_F(LifecycleTest, ConvoysEscalationsNudgesAndRequestsAreTold) {
  const RigId rig = town_with_rig();
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return live_runs() == 1; }, minutes(1)));
  const AgentId agent = read([](const Engine::View& view) { return view.town.agent_ids().front(); });
  events::EscalationRaised raised;
  raised.title = "help";
  raised.rig_id = rig;
  const std::string escalation = must(raised).created.front();
  must(events::EscalationAcknowledged{BeadId(escalation)});
  events::NudgeQueued nudge;
  nudge.agent_id = agent;
  nudge.message = "go on";
  must(nudge);
  events::ConvoyCreated convoy;
  convoy.title = "two";
  for (const char* title : {"one", "two"}) {
    events::ConvoyBead piece;
    piece.title = title;
    piece.rig_id = rig;
    convoy.beads.push_back(std::move(piece));
  }
  must(convoy);
  lifecycle.answered("bead.create", 201, 0.004, clock.at);
  lifecycle.answered("", 404, 0.001, clock.at);
  EXPECT_THAT(kinds(), IsSupersetOf({"escalation.created", "escalation.acknowledged", "nudge.queued", "convoy.created",
                                     "http.bead.create", "http.none"}));
}

/// The newest tick may be long past: what comes to an end outside needs none.
TEST_F(LifecycleTest, WhatAnEffectCameToHasTheTimeAtWhichItDid) {
  town_with_rig();
  clock.at = clock.now() + minutes(10);
  lifecycle.effects_ended(TownId("town"), {{{"start_agent:a:1", effects::StartAgent{}}, EffectState::done, 1, {}}});
  EXPECT_EQ(lines.back().at("event"), json::value("container.agent_start_fetch"));
  EXPECT_EQ(lines.back().at("time"), json::value(to_text(clock.now())));
}

TEST(EventFile, RotatesAndKeepsSoManyFiles) {
  const ScratchFolder folder;
  {
    auto file = EventFile::open({folder.path() / "events.jsonl", 1'000, 2}, [](const std::string&) {});
    ASSERT_TRUE(file);
    for (int i = 0; i < 100; ++i)
      (*file)->write("{\"line\":" + std::to_string(i) + ",\"padding\":\"" + std::string(70, 'x') + "\"}");
    EXPECT_EQ((*file)->lost(), 0U);
  }
  EXPECT_THAT(read_all(folder.path() / "events.jsonl"), HasSubstr("{\"line\":99,"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_LE(entry.file_size(), 1'000U);
    ++files;
  }
  EXPECT_EQ(files, 3U);
}

/// Without waits, so that each line is a new try.
EventFileSettings at_once(const std::filesystem::path& path) {
  EventFileSettings settings{path, 1'000, 2};
  settings.first_wait = settings.longest_wait = settings.look_every = Duration{};
  return settings;
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(EventFile, IsForItsOwnerAlone) {
  const ScratchFolder folder;
  const auto path = folder.path() / "events.jsonl";
  EventFile::open({path, 1'000, 2}, [](const std::string&) {});
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(EventFile, IsMadeAnewWhenSomebodyTakesItAway) {
  const ScratchFolder folder;
  const auto path = folder.path() / "events.jsonl";
  {
    auto file = EventFile::open(at_once(path), [](const std::string&) {});
    ASSERT_TRUE(file);
    (*file)->write("one");
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (lines_of(path).empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    std::filesystem::rename(path, folder.path() / "taken");
    (*file)->write("two");
  }
  EXPECT_THAT(lines_of(folder.path() / "taken"), testing::ElementsAre("one"));
  EXPECT_THAT(lines_of(path), testing::ElementsAre("two"));
}

TEST(EventFile, BeginsANewLineAfterOneThatWasCutShort) {
  const ScratchFolder folder;
  const auto path = folder.path() / "events.jsonl";
  std::ofstream(path) << "one\n{\"half";
  (*EventFile::open(at_once(path), [](const std::string&) {}))->write("two");
  EXPECT_THAT(lines_of(path), testing::ElementsAre("one", "{\"half", "two"));
}

TEST(EventFile, GoesOnAfterAFailureAndSaysOnceHowManyLinesWereLost) {
  const ScratchFolder folder;
  const auto path = folder.path() / "events.jsonl";
  std::mutex mutex;
  std::vector<std::string> told;
  auto file = *EventFile::open(at_once(path), [&](const std::string& what) {
    const std::lock_guard lock(mutex);
    told.push_back(what);
  });
  const auto reaches = [&](const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return holds();
  };
  file->write("one");
  ASSERT_TRUE(reaches([&] { return !lines_of(path).empty(); }));
  // A folder in its place can be neither written nor put aside.
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  for (int i = 0; i < 20; ++i) file->write("lost");
  ASSERT_TRUE(reaches([&] { return file->lost() == 20; }));
  std::filesystem::remove(path);
  file->write("two");
  file->write("three");
  file.reset();
  EXPECT_THAT(lines_of(path), testing::ElementsAre("two", "three"));
  EXPECT_THAT(told, testing::ElementsAre(testing::HasSubstr("lines lost so far: 1"))) << "once a minute";
}

TEST(EventFile, GoesOnAfterARotationThatFailed) {
  const ScratchFolder folder;
  const auto path = folder.path() / "events.jsonl";
  // What is in the place of the file put aside cannot go.
  std::filesystem::create_directories(folder.path() / "events.1.jsonl" / "in" / "the" / "way");
  {
    auto file = *EventFile::open(at_once(path), [](const std::string&) {});
    for (int i = 0; i < 25; ++i) file->write(std::to_string(i) + std::string(98, '.'));
  }
  const auto lines = lines_of(path);
  ASSERT_FALSE(lines.empty());
  EXPECT_TRUE(lines.back().starts_with("24.")) << lines.back();
}

TEST(EventFile, SaysWhereItCannotWrite) {
  const auto file = EventFile::open({"/proc/no/events.jsonl"}, [](const std::string&) {});
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().what, HasSubstr("/proc/no/events.jsonl"));
  EXPECT_THAT(file.error().hint, HasSubstr("[events]"));
}

}  // namespace
}  // namespace townd
