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

// ---- reading answers of others -----------------------------------------------------------------------------------

/// A text as it is, null as nothing, everything else as JSON.
std::string as_text(const json::value& value);
/// The member as text, or empty when it is absent or null.
std::string text_of(const json::value& object, std::string_view key);
std::int64_t number_of(const json::value& object, std::string_view key);
bool truth_of(const json::value& object, std::string_view key);
/// The member, or null.
const json::value& member_of(const json::value& object, std::string_view key);
/// The member's elements; empty when it is no array. Without a key, the value's own.
const json::array& list_of(const json::value& object, std::string_view key);
const json::array& list_of(const json::value& value);

}  // namespace townd
