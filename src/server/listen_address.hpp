#pragma once

#include <string>
#include <string_view>

#include "core/expected.hpp"

namespace townd {

struct ListenAddress {
  std::string host;
  unsigned short port = 0;
  /// `127.0.0.1:7777`
  [[nodiscard]] std::string text() const;
};

/// Reads HOST:PORT. An address beyond loopback is refused unless a proxy in front does TLS.
expected<ListenAddress> read_listen_address(std::string_view text, bool behind_proxy);

}  // namespace townd
