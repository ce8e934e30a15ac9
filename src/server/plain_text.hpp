#pragma once

namespace townd {

/// Of the letters a to z; whatever else stays as it is.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace townd
