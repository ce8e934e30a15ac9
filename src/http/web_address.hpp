#pragma once

#include <string>
#include <string_view>

#include "core/expected.hpp"

struct sockaddr;

namespace townd {

/// Where something is posted to, taken apart by the library that will go there.
struct WebAddress {
  bool tls = true;
  std::string user;
  std::string password;
  std::string host;  ///< an address of IPv6 in brackets
  int port = 443;
  std::string path;   ///< begins with a slash
  std::string query;  ///< without its question mark; may be empty

  /// With the path given, and never with user and password.
  [[nodiscard]] std::string url(std::string_view at_path) const;
  [[nodiscard]] std::string url() const;
  /// `sentry.example:443`: what may be said of it in a log.
  [[nodiscard]] std::string place() const;
};

/// Plain http is for this machine itself only. No error repeats the text, which may hold a secret.
expected<WebAddress> read_web_address(std::string_view text);

/// Whether a resolved address may be connected to. Refused are link-local ones, where clouds answer with credentials,
/// the other known ones of that kind, multicast, and `any`; without TLS everything but loopback.
bool may_connect(const sockaddr& to, bool tls);

}  // namespace townd
