#pragma once

#include <string>
#include <string_view>

#include "core/expected.hpp"
#include "core/image.hpp"

namespace townd {

/// A row as the store keeps it: JSON without blanks, texts by their hash.
std::string encode_row(const AnyRow& row);
/// The row that encode_row made the text of.
expected<AnyRow> decode_row(RowKey::Table table, std::string_view text);

}  // namespace townd
