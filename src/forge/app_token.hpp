#pragma once

#include <string>

#include "core/expected.hpp"
#include "core/time.hpp"

namespace townd {

/// What a GitHub App signs itself with for the next minutes: a JSON Web Token, RS256. `key` is the app's private key in
/// PEM; no error repeats it.
expected<std::string> app_token(const std::string& app_id, const std::string& key, Instant now);

/// Standard base 64, padded.
std::string base64(const std::string& bytes);

}  // namespace townd
