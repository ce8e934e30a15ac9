#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "http/web_address.hpp"

namespace townd::http {

struct Request {
  std::string method = "GET";
  WebAddress to;                     ///< what may be connected to and said about it
  std::string url;                   ///< of `to`
  std::vector<std::string> headers;  ///< `Name: value`
  std::string body;                  ///< sent with POST, PUT, PATCH and DELETE when it is not empty
  std::size_t answer_limit = 1 << 16;
  Duration timeout = seconds(15);
};

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;

  /// All values of a header, joined with commas; empty when it has none. The name in lower case.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// Sends it and waits for the answer, until the time-out or `stop`. TLS is verified, no redirect is followed, no proxy
/// used, and each address checked after it was resolved. An error says nothing about the path, and so does an answer
/// over its limit; a body that ends too soon is an error.
expected<Response> perform(const Request& request, const std::atomic<bool>& stop);

/// A Retry-After: seconds or a date; `otherwise` when it is neither. Between 1 s and a day.
Duration retry_after(const std::string& text, Instant now, Duration otherwise);

}  // namespace townd::http
