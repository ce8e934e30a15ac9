#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "http/web_address.hpp"
#include "observe/alert.hpp"

namespace townd {

struct Webhook {
  WebAddress to;
  std::string secret;
};

/// `sha256=` and the HMAC of `<timestamp>.<body>` in hexadecimal digits.
std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body);

/// Headers for one delivery: X-Townd-Timestamp (seconds since 1970), X-Townd-Delivery (the alert's id, the same at each
/// try) and X-Townd-Signature over timestamp and body.
std::vector<std::string> webhook_headers(const Webhook& webhook, const Alert& alert, std::string_view body,
                                         std::string_view version, Instant now);

}  // namespace townd
