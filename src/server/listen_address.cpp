#include "server/listen_address.hpp"

#include <charconv>

namespace townd {
namespace {

constexpr std::string_view kHint = "write HOST:PORT, such as 127.0.0.1:7777; port 0 takes any free one";

}  // namespace

std::string ListenAddress::text() const {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

expected<ListenAddress> read_listen_address(std::string_view text, bool behind_proxy) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  const std::string_view digits = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (address.host.empty() || problem != std::errc{} || stop != digits.data() + digits.size())
    return fail(Error::Code::invalid, "cannot listen on \"" + std::string(text) + "\"", std::string(kHint));
  const bool loopback = address.host.starts_with("127.") || address.host == "::1";
  if (!loopback && !behind_proxy)
    return fail(Error::Code::invalid,
                "will not listen on " + std::string(text) + ": it is beyond this machine and there is no TLS",
                "listen on 127.0.0.1, or put a proxy with TLS in front and set server.behind_proxy");
  return address;
}

}  // namespace townd
