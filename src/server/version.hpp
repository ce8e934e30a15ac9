#pragma once

#include <string_view>

namespace townd {

inline constexpr std::string_view kVersion = TOWND_VERSION;

}  // namespace townd
