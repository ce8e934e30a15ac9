#include "codec/json.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace townd {
namespace {

void append_canonical(std::string& out, const json::value& value) {
  if (const json::array* array = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      append_canonical(out, (*array)[i]);
    }
    out += ']';
  } else if (const json::object* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object->size());
    for (const auto& member : *object) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return std::string_view(a->key()) < std::string_view(b->key()); });
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      out += json::serialize(members[i]->key());
      out += ':';
      append_canonical(out, members[i]->value());
    }
    out += '}';
  } else {
    out += json::serialize(value);
  }
}

/// Line and column, from 1, of the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(offset - start + 1);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

expected<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepth;
  json::stream_parser parser({}, options);
  json::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read == text.size()) {
    parser.finish(error);
    if (!error) return parser.release();
  }
  if (!error)
    return fail(Error::Code::invalid, "there is more after the end of the JSON document at " + place(text, read),
                "remove what follows it");
  return fail(Error::Code::invalid, "not JSON at " + place(text, read) + ": " + error.message(),
              "correct the text there");
}

std::string canonical_text(const json::value& value) {
  std::string text;
  append_canonical(text, value);
  return text;
}

std::string_view nearest(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t kLongestCompared = 64;  // a longer name is no typing error
  std::string_view best;
  std::size_t fewest = static_cast<std::size_t>(-1);
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(name.substr(0, kLongestCompared), candidate);
    if (distance < fewest) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

std::string as_text(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_null()) return {};
  return json::serialize(value);
}

const json::value& member_of(const json::value& object, std::string_view key) {
  static const json::value nothing(nullptr);
  const auto* members = object.if_object();
  const auto* found = members != nullptr ? members->if_contains(key) : nullptr;
  return found != nullptr ? *found : nothing;
}

std::string text_of(const json::value& object, std::string_view key) { return as_text(member_of(object, key)); }

std::int64_t number_of(const json::value& object, std::string_view key) {
  const json::value& member = member_of(object, key);
  if (member.is_int64()) return member.get_int64();
  if (member.is_uint64()) return static_cast<std::int64_t>(member.get_uint64());
  constexpr double kMost = 9e18;
  const bool fits = member.is_double() && std::abs(member.get_double()) < kMost;  // neither infinite nor no number
  return fits ? static_cast<std::int64_t>(member.get_double()) : 0;
}

bool truth_of(const json::value& object, std::string_view key) {
  const json::value& member = member_of(object, key);
  return member.is_bool() && member.get_bool();
}

const json::array& list_of(const json::value& value) {
  static const json::array nothing;
  const auto* list = value.if_array();
  return list != nullptr ? *list : nothing;
}

const json::array& list_of(const json::value& object, std::string_view key) { return list_of(member_of(object, key)); }

}  // namespace townd
