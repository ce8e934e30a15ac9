#pragma once

#include <string_view>

namespace townd {

/// What a dotted key of `townd.toml` does, in one line; empty for an unknown one.
std::string_view config_meaning(std::string_view key);

}  // namespace townd
