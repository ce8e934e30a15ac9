#include "cli/scenario_match.hpp"

#include <vector>

namespace townd::cli {
namespace {

/// What stands between `<name:` and `>`; none when `text` is not of that form.
std::optional<std::string_view> argument(std::string_view text, std::string_view name) {
  if (text.size() < name.size() + 3 || text.front() != '<' || text.back() != '>') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.substr(0, name.size()) != name || text[name.size()] != ':') return std::nullopt;
  return text.substr(name.size() + 1);
}

bool listed(std::string_view list, std::string_view value) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == value) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// Metadata is anybody's: a key that is not there is null. Elsewhere it is a mistake in the scenario.
bool may_lack_keys(const std::string& path) { return path.ends_with(".metadata"); }

}  // namespace

std::string shown(const json::value& value) {
  if (const json::string* text = value.if_string()) return text->empty() ? "\"\"" : std::string(*text);
  return json::serialize(value);
}

bool Matcher::text_matches(std::string_view expected, const json::value& actual) const {
  if (expected == "<any>") return !actual.is_null();
  const json::string* found = actual.if_string();
  if (!found) return false;
  const std::string_view text = *found;
  if (const auto part = argument(expected, "contains")) return text.find(*part) != std::string_view::npos;
  if (const auto list = argument(expected, "in")) return listed(*list, text);
  if (const auto type = argument(expected, "new")) {
    const auto bead = new_beads_.find(std::string(text));
    return bead != new_beads_.end() && bead->second == *type;
  }
  return text == expected;
}

bool Matcher::same(const json::value& expected, const json::value& actual) const {
  if (const json::string* text = expected.if_string()) return text_matches(*text, actual);
  return expected == actual;
}

std::optional<std::string> Matcher::mismatch(const json::value& expected, const json::value& actual,
                                             const std::string& path) const {
  const auto differs = [&](const std::string& got) {
    return std::optional<std::string>(path + ": expected " + shown(expected) + ", got " + got);
  };
  if (expected.is_null() && null_ == Null::ignored) return std::nullopt;
  if (const json::array* list = expected.if_array())
    return actual.is_array() ? mismatch_any(*list, actual.get_array(), path) : differs(shown(actual));
  const json::object* object = expected.if_object();
  if (!object) return same(expected, actual) ? std::nullopt : differs(shown(actual));
  if (!actual.is_object()) return differs(shown(actual));
  for (const auto& [key, value] : *object) {
    const std::string place = path + "." + std::string(key);
    const json::value* found = actual.get_object().if_contains(key);
    if (!found && may_lack_keys(path)) {
      if (!value.is_null()) return place + ": expected " + shown(value) + ", got nothing";
      continue;
    }
    if (!found) return place + ": unknown key";
    if (auto wrong = mismatch(value, *found, place)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> Matcher::mismatch_any(const json::array& expected, const json::array& actual,
                                                 const std::string& path) const {
  std::vector<bool> used(actual.size(), false);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string place = path + "[" + std::to_string(i) + "]";
    std::optional<std::string> why = place + ": expected " + shown(expected[i]) + ", got nothing";
    for (std::size_t j = 0; j < actual.size(); ++j) {
      if (used[j]) continue;
      why = mismatch(expected[i], actual[j], place);
      if (why) continue;
      used[j] = true;
      break;
    }
    if (why) return why;
  }
  return std::nullopt;
}

}  // namespace townd::cli
