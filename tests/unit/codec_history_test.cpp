#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "codec/events.hpp"
#include "codec/ticks.hpp"
#include "core/tick.hpp"

// What was stored once is read for ever: a line of each kind as the format's first version wrote it.

namespace townd {
namespace {

std::vector<json::value> lines_of(const char* path) {
  std::vector<json::value> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

/// Whether `now` still says everything that `then` said.
bool says(const json::value& now, const json::value& then) {
  if (const json::object* object = then.if_object()) {
    for (const auto& [key, value] : *object) {
      const json::value* found = now.is_object() ? now.get_object().if_contains(key) : nullptr;
      if (!found || !says(*found, value)) return false;
    }
    return true;
  }
  if (const json::array* array = then.if_array()) {
    if (!now.is_array() || now.get_array().size() != array->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i)
      if (!says(now.get_array()[i], (*array)[i])) return false;
    return true;
  }
  return now == then;
}

template <class... Bodies>
std::set<std::string> every_event(std::variant<Bodies...>*) {
  return {std::string(event_type(EventBody(Bodies{})))...};
}
template <class... Bodies>
std::set<std::string> every_action(std::variant<Bodies...>*) {
  return {std::string(action_type(ActionBody(Bodies{})))...};
}

TEST(History, EveryKindOfEventThatWasEverStoredIsStillRead) {
  std::set<std::string> missing = every_event(static_cast<EventBody*>(nullptr));
  for (const json::value& line : lines_of(HISTORY_FOLDER "/events.jsonl")) {
    const EventText stored{std::string(line.at("event_type").as_string()), std::string(line.at("agent_id").as_string()),
                           std::string(line.at("bead_id").as_string()), json::serialize(line.at("payload")),
                           static_cast<int>(line.at("format").as_int64())};
    const auto body = decode_event(stored);
    ASSERT_TRUE(body) << line << "\n" << body.error().what;
    const EventText again = encode_event(*body);
    EXPECT_EQ(again.event_type, stored.event_type);
    EXPECT_EQ(again.agent_id, stored.agent_id);
    EXPECT_EQ(again.bead_id, stored.bead_id);
    EXPECT_TRUE(says(json::parse(again.payload), line.at("payload"))) << line << "\n" << again.payload;
    missing.erase(stored.event_type);
  }
  EXPECT_TRUE(missing.empty()) << *missing.begin() << " has no line in tests/history/events.jsonl";
}

TEST(History, EveryTickThatWasEverStoredIsStillRead) {
  std::set<std::string> missing = every_action(static_cast<ActionBody*>(nullptr));
  for (const json::value& line : lines_of(HISTORY_FOLDER "/ticks.jsonl")) {
    const auto record = decode_tick(json::serialize(line));
    ASSERT_TRUE(record) << line << "\n" << record.error().what;
    EXPECT_TRUE(says(json::parse(encode_tick(*record)), line)) << line << "\n" << encode_tick(*record);
    for (const Decided& decided : record->decisions)
      for (const ActionBody& action : decided.actions) missing.erase(std::string(action_type(action)));
  }
  EXPECT_TRUE(missing.empty()) << *missing.begin() << " is in no line of tests/history/ticks.jsonl";
}

}  // namespace
}  // namespace townd
