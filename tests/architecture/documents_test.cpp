#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/config.hpp"
#include "core/action.hpp"
#include "core/event.hpp"
#include "core/rule.hpp"
#include "page.hpp"

namespace townd {
namespace {

std::multiset<std::string> rows_of(const std::string& page) {
  std::multiset<std::string> names;
  for (const auto& [name, cells] : table_of(page)) names.insert(name);
  return names;
}

/// What `name` gives for each alternative of a variant.
template <class Variant, class Name, std::size_t... index>
std::multiset<std::string> names_of(Name name, std::index_sequence<index...>) {
  return {std::string(name(Variant(std::in_place_index<index>)))...};
}
template <class Variant, class Name>
std::multiset<std::string> names_of(Name name) {
  return names_of<Variant>(name, std::make_index_sequence<std::variant_size_v<Variant>>());
}

TEST(Documents, every_kind_of_event_has_one_row_and_every_row_is_a_kind) {
  EXPECT_EQ(rows_of("events.md"), names_of<EventBody>(event_type));
}

TEST(Documents, every_kind_of_action_has_one_row_and_every_row_is_a_kind) {
  EXPECT_EQ(rows_of("actions.md"), names_of<ActionBody>(action_type));
}

/// `Act, Wait` for a rule that can give these.
std::string answers_of(const Rule& rule) {
  std::string words;
  const auto add = [&](Answers answer, std::string_view word) {
    if ((rule.answers & answer) != 0) words += (words.empty() ? "" : ", ") + std::string(word);
  };
  add(kActs, "Act");
  add(kWaits, "Wait");
  add(kHolds, "Hold");
  return words;
}

TEST(Documents, every_rule_has_one_row_that_says_what_it_can_answer_and_every_row_is_a_rule) {
  std::map<std::string, std::string> said;
  for (const auto& [id, cells] : table_of("rules.md")) said[id] = cells.back();
  std::map<std::string, std::string> known;
  for (const Rule& rule : rules()) known[std::string(rule.id)] = answers_of(rule);
  EXPECT_FALSE(known.empty());
  EXPECT_EQ(said, known);
  EXPECT_EQ(rows_of("rules.md").size(), rules().size());
}

TEST(Documents, every_setting_has_one_row_with_its_default_and_its_meaning) {
  const auto said = table_of("config.md");
  const auto keys = config_keys(NodeSettings{});
  EXPECT_EQ(said.size(), keys.size());
  for (const ConfigKey& key : keys) {
    const auto row = said.find(key.key);
    ASSERT_NE(row, said.end()) << key.key;
    EXPECT_EQ(row->second, (std::vector<std::string>{key.key, key.default_value, key.meaning}));
  }
}

}  // namespace
}  // namespace townd
