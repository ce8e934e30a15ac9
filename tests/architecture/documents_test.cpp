#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "core/action.hpp"
#include "core/event.hpp"
#include "core/rule.hpp"

namespace townd {
namespace {

/// The names in the first column of a page's tables, which stand there as | `name` |.
std::multiset<std::string> rows_of(const std::string& page) {
  std::ifstream file(std::string(TOWND_DOCS "/") + page);
  std::multiset<std::string> rows;
  for (std::string line; std::getline(file, line);) {
    const std::string opening = "| `";
    if (line.compare(0, opening.size(), opening) != 0) continue;
    const auto end = line.find('`', opening.size());
    rows.insert(line.substr(opening.size(), end - opening.size()));
  }
  return rows;
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

TEST(Documents, every_rule_has_one_row_and_every_row_is_a_rule) {
  std::multiset<std::string> ids;
  for (const Rule& rule : rules()) ids.insert(std::string(rule.id));
  EXPECT_FALSE(ids.empty());
  EXPECT_EQ(rows_of("rules.md"), ids);
}

}  // namespace
}  // namespace townd
