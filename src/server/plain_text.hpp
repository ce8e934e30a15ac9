#pragma once

#include <string>
#include <string_view>

namespace townd {

/// Of the letters a to z; whatever else stays as it is.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// `bytes` with everything that is not UTF-8 replaced by U+FFFD, so that it fits into JSON.
std::string valid_utf8(std::string_view bytes);

}  // namespace townd
