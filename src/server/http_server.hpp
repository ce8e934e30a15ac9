#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/expected.hpp"
#include "core/time.hpp"
#include "server/message.hpp"
#include "server/tls.hpp"

namespace townd {

/// What the transport allows itself and others (interfaces.md, Security). Tests lower the times.
struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 1 << 20;
  std::size_t connections = 512;
  /// To a connection's first byte, for its TLS handshake, and from a request's first byte to its last header.
  Duration header_time = seconds(10);
  Duration body_time = seconds(30);
  Duration idle_time = seconds(60);    ///< between requests of one connection
  Duration answer_time = seconds(60);  ///< a handler that is slower is answered for, with 503
  Duration write_time = seconds(30);
  Duration stream_ping = seconds(15);  ///< a comment line, so that both ends notice a dead connection
};

/// HTTP/1.1 over TCP and Unix sockets on one thread of its own. Handlers are called on that thread and must not block.
class HttpServer {
 public:
  using Handler = std::function<void(std::shared_ptr<const Request>, Answer)>;

  HttpServer(Handler handler, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// What connects by TCP must do so with TLS. To be called before the first `listen_tcp`.
  void use_tls(TlsIdentity identity);
  /// Answers the port, which the system chooses when `port` is 0. `host` is an address, not a name.
  expected<unsigned short> listen_tcp(const std::string& host, unsigned short port);
  /// Makes the socket with mode 0600, in place of one that a dead process left; peers of another user are refused.
  expected<void> listen_unix(const std::string& path, Channel channel);

  void start();
  /// Closes the listeners, lets requests under way be answered for at most two seconds, closes all connections and
  /// ends the thread.
  void stop();

 private:
  void remove_sockets();

  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace townd
