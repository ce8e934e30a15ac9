#pragma once

#include <boost/json.hpp>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/expected.hpp"
#include "core/hash.hpp"

namespace townd {

namespace json = boost::json;

/// Texts by the hash under which the value holds them.
using TextBook = std::map<Hash128, std::string>;

/// At most this deep is what comes from outside.
inline constexpr std::size_t kJsonDepth = 64;

/// The document in `text`; the error names line and column.
expected<json::value> parse_json(std::string_view text);

/// The one text of a document: object keys sorted by bytes, no spaces; how beads keep their metadata.
std::string canonical_text(const json::value& value);

/// The known name that is the fewest changed letters away from `name`; empty when nothing is known.
std::string_view nearest(std::string_view name, std::span<const std::string_view> known);

/// What is wrong with a document and where (a JSON pointer, empty for the whole).
struct JsonIssue {
  std::string path;
  std::string message;
};

}  // namespace townd
