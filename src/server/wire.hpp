#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <type_traits>
#include <utility>
#include <variant>

namespace townd {

using Executor = boost::asio::io_context::executor_type;
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;
inline constexpr boost::asio::use_awaitable_t<Executor> kAwait;

/// One type for TCP and for sockets in the file system.
using AnySocket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;

/// A connection with or without TLS: one stream type, so that what reads and writes it is compiled once.
class Wire {
  using Signature = void(boost::system::error_code, std::size_t);
  template <class Token>
  using Result = typename boost::asio::async_result<std::decay_t<Token>, Signature>::return_type;

 public:
  using executor_type = Executor;
  using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol, Executor>;
  using Secure = boost::asio::ssl::stream<Plain>;

  /// With TLS when there is a context; the handshake is still to be made.
  Wire(AnySocket socket, SSL_CTX* tls) : stream_(std::in_place_type<Plain>, std::move(socket)) {
    if (tls == nullptr) return;
    Plain bare = std::move(plain());
    stream_.emplace<Secure>(std::move(bare), SSL_new(tls));
  }

  executor_type get_executor() { return plain().get_executor(); }
  /// What carries the bytes: times and the socket are its business.
  Plain& plain() { return secure() != nullptr ? secure()->next_layer() : std::get<Plain>(stream_); }
  /// The TLS around it, or null.
  Secure* secure() { return std::get_if<Secure>(&stream_); }
  /// Lets go of TLS, for whoever has not understood it.
  void strip() {
    Plain bare = std::move(plain());
    stream_.emplace<Plain>(std::move(bare));
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) -> Result<Token> {
    const auto begin = [this](auto handler, const Buffers& into) {
      if (secure() != nullptr)
        secure()->async_read_some(into, std::move(handler));
      else
        plain().async_read_some(into, std::move(handler));
    };
    return boost::asio::async_initiate<Token, Signature>(begin, token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) -> Result<Token> {
    const auto begin = [this](auto handler, const Buffers& from) {
      if (secure() != nullptr)
        secure()->async_write_some(from, std::move(handler));
      else
        plain().async_write_some(from, std::move(handler));
    };
    return boost::asio::async_initiate<Token, Signature>(begin, token, buffers);
  }

 private:
  std::variant<Plain, Secure> stream_;
};

}  // namespace townd
