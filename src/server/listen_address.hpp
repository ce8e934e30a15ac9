#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"
#include "server/tls.hpp"

namespace townd {

struct ListenAddress {
  std::string host;
  unsigned short port = 0;
  /// `127.0.0.1:7777`
  [[nodiscard]] std::string text() const;
};

/// Reads HOST:PORT. An address beyond loopback is refused unless there is `tls`, our own or a proxy's.
expected<ListenAddress> read_listen_address(std::string_view text, bool tls);

/// Where a program on this machine finds it: `http://127.0.0.1:7777`. With TLS it is the first of the address and
/// `hosts` that the certificate is for.
std::string own_url(const ListenAddress& address, const TlsIdentity* identity, const std::vector<std::string>& hosts);

}  // namespace townd
