#include "http/web_address.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace townd {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string found(text);
  curl_free(text);
  return found;
}

bool names_loopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  // 127.0.0.0/8, in digits only: a name that begins with 127 is a name.
  return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// The metadata services of clouds hand out credentials to whoever can be made to ask.
bool may_connect_v4(std::uint32_t address, bool tls) {
  const bool loopback = address >> 24 == 127;
  if (!tls || loopback) return loopback;
  const bool link_local = address >> 16 == 0xa9fe;  // 169.254.0.0/16, the metadata service of most clouds
  const bool alibaba = address == 0x646464c8;       // 100.100.100.200
  const bool oracle = address == 0xc00000c0;        // 192.0.0.192
  const bool nobody = address >> 24 == 0 || address >> 28 >= 0xe;
  return !link_local && !alibaba && !oracle && !nobody;
}

std::uint32_t last_four(const in6_addr& address) {
  std::uint32_t number = 0;
  std::memcpy(&number, &address.s6_addr[12], sizeof number);
  return ntohl(number);
}

bool may_connect_v6(const in6_addr& address, bool tls) {
  constexpr std::array<unsigned char, 12> kNat64{0, 0x64, 0xff, 0x9b};
  constexpr std::array<unsigned char, 16> kAmazon{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (IN6_IS_ADDR_V4MAPPED(&address) || std::equal(kNat64.begin(), kNat64.end(), address.s6_addr))
    return may_connect_v4(last_four(address), tls);
  const bool loopback = IN6_IS_ADDR_LOOPBACK(&address);
  if (!tls || loopback) return loopback;
  const bool amazon = std::equal(kAmazon.begin(), kAmazon.end(), address.s6_addr);
  const bool old_v4 = IN6_IS_ADDR_V4COMPAT(&address);
  return !IN6_IS_ADDR_LINKLOCAL(&address) && !IN6_IS_ADDR_MULTICAST(&address) && !IN6_IS_ADDR_UNSPECIFIED(&address) &&
         !amazon && !old_v4;
}

}  // namespace

std::string WebAddress::place() const { return host + ":" + std::to_string(port); }

std::string WebAddress::url(std::string_view at_path) const {
  return (tls ? "https://" : "http://") + place() + std::string(at_path);
}

std::string WebAddress::url() const { return url(path + (query.empty() ? "" : "?" + query)); }

expected<WebAddress> read_web_address(std::string_view text) {
  constexpr auto wrong = [](std::string what) { return fail(Error::Code::invalid, std::move(what)); };
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\')
      return wrong("an address holds no spaces, backslashes or control characters");
  const bool tls = text.starts_with("https://");
  const std::string_view after = text.substr(std::min(text.size(), text.find("://") + 3));
  if ((!tls && !text.starts_with("http://")) || after.empty() || after.front() == '/')
    return wrong("an address begins with https:// and a host");
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK)
    return wrong("it is not an address that can be gone to; one looks like https://HOST/PATH");
  WebAddress address;
  address.tls = tls;
  address.user = part_of(url.get(), CURLUPART_USER);
  address.password = part_of(url.get(), CURLUPART_PASSWORD);
  address.host = part_of(url.get(), CURLUPART_HOST);
  const std::string port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  address.port = port.empty() ? 0 : std::atoi(port.c_str());
  address.path = part_of(url.get(), CURLUPART_PATH);
  address.query = part_of(url.get(), CURLUPART_QUERY);
  if (address.host.empty()) return wrong("the address has no host");
  if (address.port < 1) return wrong("the address has no port that can be connected to");
  if (!part_of(url.get(), CURLUPART_FRAGMENT).empty()) return wrong("an address has no part after #");
  if (!tls && !names_loopback(address.host))
    return wrong("plain http is for this machine only (localhost, 127.0.0.1, [::1]); use https");
  return address;
}

bool may_connect(const sockaddr& to, bool tls) {
  if (to.sa_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &to, sizeof address);
    return may_connect_v4(ntohl(address.sin_addr.s_addr), tls);
  }
  if (to.sa_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &to, sizeof address);
    return may_connect_v6(address.sin6_addr, tls);
  }
  return false;
}

}  // namespace townd
