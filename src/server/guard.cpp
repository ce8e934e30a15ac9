#include "server/guard.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "server/answer.hpp"

namespace townd {
namespace {

/// The host of `host:port`, `[::1]:port` or `host`; empty when it is none of these.
std::string without_port(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = authority.substr(end + 1);
    return rest.empty() || rest.starts_with(':') ? lower(authority.substr(0, end + 1)) : std::string{};
  }
  return lower(authority.substr(0, authority.find(':')));
}

bool loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  // 127.0.0.0/8, in digits only: a name that begins with 127 is a name.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool known_host(const Doorman& doorman, std::string_view authority) {
  const std::string host = without_port(authority);
  if (host.empty()) return false;
  return loopback(host) || std::any_of(doorman.hosts.begin(), doorman.hosts.end(),
                                       [&](const std::string& known) { return lower(known) == host; });
}

bool known_origin(const Doorman& doorman, const Request& request, std::string_view origin) {
  const std::string lowered = lower(origin);
  if (std::any_of(doorman.origins.begin(), doorman.origins.end(),
                  [&](const std::string& known) { return lower(known) == lowered; }))
    return true;
  // A page that we served ourselves comes from the address that it calls.
  return lowered == (doorman.https ? "https://" : "http://") + lower(request.header("Host"));
}

bool json_type(std::string_view type) {
  const std::string name = lower(type.substr(0, type.find(';')));
  const std::size_t end = name.find_last_not_of(" \t");
  return end != std::string::npos && name.substr(0, end + 1) == "application/json";
}

}  // namespace

std::optional<Response> refuse_at_the_door(const Doorman& doorman, const Request& request) {
  if (request.channel == Channel::tcp && !known_host(doorman, request.header("Host")))
    return failure(421, "this daemon is not called that",
                   "use 127.0.0.1 or localhost, or put the name into `hosts` of townd.toml");
  if (const auto origin = request.headers.find("Origin"); origin != request.headers.end())
    if (!known_origin(doorman, request, origin->second))
      return failure(403, "pages from elsewhere may not call this daemon",
                     "put the page's origin into `origins` of townd.toml if it is yours");
  const bool writes = request.method == "POST" || request.method == "PATCH" || request.method == "PUT" ||
                      (request.method == "DELETE" && !request.body.empty());
  if (writes && !json_type(request.header("Content-Type")))
    return failure(415, "the request must say Content-Type: application/json",
                   "send JSON and the header Content-Type: application/json");
  return std::nullopt;
}

}  // namespace townd
