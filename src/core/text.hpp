#pragma once

#include <string>
#include <string_view>

namespace townd {

/// Of the letters A to Z; whatever else stays as it is.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string_view text);

/// At most so many bytes of UTF-8, whole characters.
std::string at_most(std::string_view text, std::size_t bytes);
/// The same, with a mark at its end when something is missing; the mark comes on top.
std::string shortened(std::string_view text, std::size_t bytes);

}  // namespace townd
