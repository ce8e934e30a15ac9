#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/tls.hpp"

struct ssl_st;

namespace townd::test {

/// A certificate for 127.0.0.1 and `name`, good for a day, made by the openssl program in `folder`.
TlsFiles make_certificate(const std::string& folder, const std::string& name);

/// One TLS connection to a port of this machine, trusting anybody.
class TlsClient {
 public:
  /// `newest` is the newest version of the protocol that it speaks, as OpenSSL numbers them; 0: any.
  explicit TlsClient(unsigned short port, int newest = 0);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// Whether the handshake came about; `trouble` is what OpenSSL says otherwise.
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  void send(std::string_view bytes);
  /// What comes until `wanted` is in it or the connection ends.
  std::string read_until(std::string_view wanted);
  /// Everything until the end, which must be one that the server announced.
  std::string read_to_announced_end();

 private:
  bool more();

  int socket_;
  ssl_st* ssl_ = nullptr;
  bool connected_ = false;
  bool announced_end_ = false;
  std::string trouble_;
  std::string read_;
};

}  // namespace townd::test
