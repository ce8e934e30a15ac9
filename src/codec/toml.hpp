#pragma once

#include <map>
#include <string>
#include <string_view>

#include "codec/fields.hpp"
#include "codec/json.hpp"
#include "core/expected.hpp"

namespace townd {

/// A TOML document as JSON, which remembers where each value stood.
struct TomlDocument {
  std::string file;  ///< for errors
  json::value value;
  std::map<std::string, int, std::less<>> lines;  ///< by JSON pointer

  /// Where the value at a JSON pointer stood; 0 when nobody knows.
  [[nodiscard]] int line(std::string_view pointer) const;
  /// An issue in the words of the file: `townd.toml:12: reconciler.lost_agnt: unknown key; …`.
  [[nodiscard]] Error error(const JsonIssue& issue) const;
};

expected<TomlDocument> parse_toml(std::string_view text, std::string file);

}  // namespace townd
