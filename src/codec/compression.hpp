#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/expected.hpp"

namespace townd {

/// What a compressed file may unpack to at most: a few bytes can stand for any number.
inline constexpr std::size_t kUnpackedLimit = std::size_t{4} << 30;

/// One zstd frame.
std::string compress(std::string_view bytes);
bool is_compressed(std::string_view bytes);
expected<std::string> decompress(std::string_view bytes, std::size_t limit = kUnpackedLimit);

}  // namespace townd
