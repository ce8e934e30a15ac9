#include "server/listen_address.hpp"

#include <algorithm>
#include <charconv>

namespace townd {
namespace {

constexpr std::string_view kHint = "write HOST:PORT, such as 127.0.0.1:7777; port 0 takes any free one";

}  // namespace

std::string ListenAddress::text() const {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

expected<ListenAddress> read_listen_address(std::string_view text, bool tls) {
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
  if (!loopback && !tls)
    return fail(Error::Code::invalid,
                "will not listen on " + std::string(text) + ": it is beyond this machine and there is no TLS",
                "listen on 127.0.0.1, or name a certificate with --tls-cert and --tls-key, or put a proxy with TLS in "
                "front and say --behind-proxy");
  return address;
}

std::string own_url(const ListenAddress& address, const TlsIdentity* identity, const std::vector<std::string>& hosts) {
  ListenAddress here = address;
  if (here.host == "0.0.0.0") here.host = "127.0.0.1";
  if (here.host == "::") here.host = "::1";
  if (identity == nullptr) return "http://" + here.text();
  if (!identity->names(here.host)) {
    const auto named =
        std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) { return identity->names(host); });
    if (named != hosts.end()) here.host = *named;
  }
  return "https://" + here.text();
}

}  // namespace townd
