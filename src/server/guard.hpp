#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/message.hpp"

namespace townd {

/// Which names a request may call us by, and which pages may call us at all.
struct Doorman {
  std::vector<std::string> hosts;    ///< beside loopback, without port
  std::vector<std::string> origins;  ///< `https://town.example.org`
  bool https = false;                ///< our own pages are fetched by https, from us or from the proxy in front
};

/// What refuses a request before anybody looks who sends it: a foreign Host (421), a foreign Origin (403), a body that
/// is not JSON (415). None of it can be asked away by a token, because it protects the browser of whoever has one.
std::optional<Response> refuse_at_the_door(const Doorman& doorman, const Request& request);

}  // namespace townd
