#pragma once

#include <string>
#include <string_view>

namespace townd {

/// `bytes` with everything that is not UTF-8 replaced by U+FFFD, so that it fits into JSON.
std::string valid_utf8(std::string_view bytes);

}  // namespace townd
