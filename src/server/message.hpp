#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/live_stream.hpp"

namespace townd {

/// Which door a request came in by; it decides who may be trusted for what.
enum class Channel {
  tcp,          ///< a token is needed
  town_socket,  ///< a process of our own user: acts as admin unless it shows a token
  agent_socket  ///< run tokens only
};

/// A header name as it is compared: ASCII letters without case.
struct HeaderOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using Headers = std::map<std::string, std::string, HeaderOrder>;

/// A request as handlers see it. No HTTP library shows through.
struct Request {
  Channel channel = Channel::tcp;
  std::string method;
  std::string path;                                        ///< without the query, not decoded
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded
  Headers headers;
  std::string body;

  /// The header's value, or an empty text.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<LiveStream> stream;  ///< set: the body is this stream, written as it comes
  std::string_view operation = {};     ///< that answered; empty for a request that asked for none
};

/// Answers one request; from any thread, once.
using Answer = std::function<void(Response)>;

/// Splits a request target into path and decoded query. False when the target is not a path or is badly encoded.
bool split_target(std::string_view target, Request& into);
/// Undoes %XX; false when it is malformed or holds a zero byte.
bool percent_decode(std::string_view text, bool plus_is_space, std::string& out);

}  // namespace townd
