#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "codec/describe_rows.hpp"
#include "codec/fields.hpp"
#include "server/arguments.hpp"

namespace townd {

/// A field whose kind is `choice` as the enumerator of that name; the wire may have `-` where the name has `_`.
template <class Enum>
std::optional<Enum> chosen(const Arguments& given, std::string_view field) {
  const std::string wire = given.text(field);
  if (const auto found = enum_from_name<Enum>(wire)) return found;
  std::string name = wire;
  std::replace(name.begin(), name.end(), '-', '_');
  return enum_from_name<Enum>(name);
}

template <class Enum>
Enum chosen_or(const Arguments& given, std::string_view field, Enum otherwise) {
  return chosen<Enum>(given, field).value_or(otherwise);
}

template <class IdType>
std::vector<IdType> id_list(const std::vector<std::string>& texts) {
  std::vector<IdType> all;
  for (const std::string& text : texts) all.emplace_back(text);
  return all;
}

}  // namespace townd
