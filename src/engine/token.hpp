#pragma once

#include <string>
#include <string_view>

namespace townd {

/// 256 random bits in hexadecimal.
std::string make_token();
/// SHA-256 in hexadecimal; the only form in which a token is kept.
std::string hash_token(std::string_view token);

}  // namespace townd
