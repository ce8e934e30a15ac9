#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "http/web_address.hpp"
#include "observe/sent.hpp"

namespace townd {

struct Post {
  WebAddress to;
  std::string url;                   ///< of `to`
  std::vector<std::string> headers;  ///< `Name: value`
  std::string body;
};

struct PostAnswer {
  int status = 0;
  std::string retry_after;
  std::string rate_limits;  ///< X-Sentry-Rate-Limits
};

/// Sends it and waits for the answer, for 15 s at most or until `stop`. TLS is verified, no redirect is followed, no
/// proxy used, and each address checked after it was resolved. An error says nothing about the path.
expected<PostAnswer> send(const Post& post, const std::atomic<bool>& stop);

/// By the answer's status: 2xx taken; 408, 425, 429 and 5xx later, after Retry-After; the rest refused.
Sent judge(const expected<PostAnswer>& answer, Instant now);

}  // namespace townd
