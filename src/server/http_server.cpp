#include "server/http_server.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "server/wire.hpp"

namespace townd {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

using Timer =
    net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>, Executor>;

using RequestParser = http::request_parser<http::string_body>;

constexpr std::chrono::seconds kGoodbye{2};  ///< for the last words of a connection to be read

std::chrono::milliseconds span(Duration d) { return std::chrono::milliseconds(d.ms); }

/// What a refused request is told before any handler has seen it.
Response refusal(int status, const std::string& error) {
  Response response;
  response.status = status;
  response.body = R"({"success":false,"error":")" + error + "\"}";
  return response;
}

}  // namespace

/// Coroutines live in `io` and refer to this; so it must never own itself through them. Threads of others reach it by a
/// weak pointer.
struct HttpServer::State : std::enable_shared_from_this<State> {
  Handler handler;
  HttpLimits limits;
  // Touched on the server's thread only; older than `io`, because the coroutines that end with it still count down.
  /// Each door has its own seats: a crowd at one keeps nobody from another.
  std::map<Channel, std::size_t> connections;
  std::size_t requests = 0;  ///< under way, streams not counted
  bool stopping = false;
  std::vector<std::string> socket_files;
  std::thread thread;
  net::io_context io{1};
  std::vector<std::function<void()>> closers;
  std::optional<Timer> patience;
  std::optional<TlsIdentity> identity;  ///< of the TCP door

  template <class Protocol>
  Task<> accept_all(std::shared_ptr<net::basic_socket_acceptor<Protocol, Executor>> acceptor, Channel channel);
  Task<> serve(Wire stream, Channel channel);
  Task<bool> shake_hands(Wire& stream);
  Task<> say_goodbye(Wire& stream);
  Task<error_code> read_header(Wire& stream, beast::flat_buffer& buffer, RequestParser& parser);
  Task<bool> serve_one(Wire& stream, beast::flat_buffer& buffer, Channel channel);
  Task<bool> write(Wire& stream, Response response, unsigned version, bool keep_alive);
  Task<> write_stream(Wire& stream, std::shared_ptr<LiveStream> live);
  Task<> refuse(Wire& stream, Response response);
  Task<Response> ask_handler(Request request);
  void stop_when_idle() {
    if (stopping && requests == 0) io.stop();
  }
};

namespace {

/// Where a handler leaves its answer and the connection waits for it. Owned by the connection: a handler that answers
/// late finds it gone.
struct Waiting {
  explicit Waiting(Executor executor) : timer(executor) {}
  Timer timer;
  std::atomic_flag answered = ATOMIC_FLAG_INIT;
  std::optional<Response> response;
};

struct Counted {
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

/// A stream's reader: gone when the connection is, however it ends.
struct Reader {
  explicit Reader(std::shared_ptr<LiveStream> stream) : live(std::move(stream)) {}
  ~Reader() { live->close(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  std::shared_ptr<LiveStream> live;
};

template <class Socket>
bool same_user(Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

template <class Body>
bool fill(Request& request, const http::request<Body>& message) {
  request.method = std::string(as_view(message.method_string()));
  for (const auto& field : message) {
    const std::string name(as_view(field.name_string()));
    // A doubled header that decides about trust is ambiguous, and whoever sends one knows why.
    const auto [place, fresh] = request.headers.emplace(name, std::string(as_view(field.value())));
    if (!fresh && (field.name() == http::field::host || field.name() == http::field::authorization ||
                   field.name() == http::field::origin || field.name() == http::field::content_type))
      return false;
  }
  request.body = message.body();
  return split_target(as_view(message.target()), request);
}

Response describe(error_code failure, const HttpLimits& limits) {
  if (failure == http::error::header_limit)
    return refusal(431, "the headers are longer than " + std::to_string(limits.header_bytes) + " bytes");
  if (failure == http::error::body_limit)
    return refusal(413, "the body is longer than " + std::to_string(limits.body_bytes) + " bytes; send less");
  return refusal(400, "this is not a well-formed HTTP/1.1 request: " + failure.message());
}

/// The whole answer in one piece: copying it costs less than walking Beast's list of its parts.
std::string text_of(http::response<http::string_body>& message) {
  http::response_serializer<http::string_body> serializer{message};
  std::string text;
  text.reserve(512 + message.body().size());
  for (error_code failure; !failure && !serializer.is_done();)
    serializer.next(failure, [&](error_code& /*failure*/, const auto& buffers) {
      for (const net::const_buffer part : beast::buffers_range_ref(buffers))
        text.append(static_cast<const char*>(part.data()), part.size());
      serializer.consume(beast::buffer_bytes(buffers));
    });
  return text;
}

/// Nobody is there to be told: Beast has closed the connection when a time was over.
bool peer_gone(error_code failure) {
  return failure == beast::error::timeout || failure == http::error::end_of_stream || failure == net::error::eof ||
         failure == net::error::connection_reset || failure == net::error::operation_aborted ||
         failure == http::error::partial_message || failure.category() == net::error::get_ssl_category() ||
         failure == net::ssl::error::stream_truncated;
}

/// What OpenSSL calls a request that came where a handshake should.
error_code plain_http() {
  return {static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_HTTP_REQUEST)), net::error::get_ssl_category()};
}

}  // namespace

template <class Protocol>
Task<> HttpServer::State::accept_all(std::shared_ptr<net::basic_socket_acceptor<Protocol, Executor>> acceptor,
                                     Channel channel) {
  while (acceptor->is_open()) {
    error_code failure;
    net::basic_stream_socket<Protocol, Executor> socket(io.get_executor());
    co_await acceptor->async_accept(socket, net::redirect_error(kAwait, failure));
    if (failure == net::error::operation_aborted || !acceptor->is_open()) co_return;
    if (failure) {
      // Out of descriptors, most likely: give the connections that are open a moment to end.
      Timer pause(io.get_executor(), std::chrono::milliseconds(50));
      co_await pause.async_wait(net::redirect_error(kAwait, failure));
      continue;
    }
    if constexpr (std::is_same_v<Protocol, net::local::stream_protocol>)
      if (!same_user(socket)) continue;
    SSL_CTX* const tls = channel == Channel::tcp && identity ? identity->context() : nullptr;
    net::co_spawn(io.get_executor(), serve(Wire(std::move(socket), tls), channel), net::detached);
  }
}

Task<> HttpServer::State::serve(Wire stream, Channel channel) {
  if (connections[channel] >= limits.connections) {
    // With TLS it could only be said after a handshake, which is what a crowd must not get for nothing.
    if (stream.secure() == nullptr)
      co_await refuse(stream, refusal(503, "too many connections; close some and try again"));
    co_return;
  }
  const Counted counted{connections[channel]};
  if (stream.secure() != nullptr && !co_await shake_hands(stream)) co_return;
  beast::flat_buffer buffer;
  Duration silence = limits.header_time;
  bool go_on = true;
  while (go_on) {
    if (buffer.size() == 0) {
      stream.plain().expires_after(span(std::exchange(silence, limits.idle_time)));
      error_code failure;
      const std::size_t read =
          co_await stream.async_read_some(buffer.prepare(4096), net::redirect_error(kAwait, failure));
      if (failure) break;
      buffer.commit(read);
    }
    go_on = co_await serve_one(stream, buffer, channel);
  }
  co_await say_goodbye(stream);
}

Task<bool> HttpServer::State::shake_hands(Wire& stream) {
  error_code failure;
  stream.plain().expires_after(span(limits.header_time));
  co_await stream.secure()->async_handshake(net::ssl::stream_base::server, net::redirect_error(kAwait, failure));
  if (failure == plain_http()) {
    stream.strip();
    co_await refuse(stream, refusal(400, "this is plain HTTP and the port takes TLS only; write https://"));
  }
  co_return !failure;
}

/// Nothing more will be sent; whoever reads knows that nothing was cut off.
Task<> HttpServer::State::say_goodbye(Wire& stream) {
  error_code ignored;
  if (stream.secure() != nullptr) {
    stream.plain().expires_after(kGoodbye);
    co_await stream.secure()->async_shutdown(net::redirect_error(kAwait, ignored));
  }
  stream.plain().socket().shutdown(net::socket_base::shutdown_send, ignored);
}

/// Beast holds each line against its limit and not their sum, so the reading is done here and the sum kept.
Task<error_code> HttpServer::State::read_header(Wire& stream, beast::flat_buffer& buffer, RequestParser& parser) {
  stream.plain().expires_after(span(limits.header_time));
  for (std::size_t taken = 0;;) {
    error_code failure;
    const std::size_t used = parser.put(buffer.data(), failure);
    buffer.consume(used);
    taken += used;
    const bool all = parser.is_header_done();
    if (taken > limits.header_bytes || (!all && taken + buffer.size() >= limits.header_bytes))
      co_return http::error::header_limit;
    if (all) co_return error_code{};
    if (failure != http::error::need_more) co_return failure;
    const std::size_t read =
        co_await stream.async_read_some(buffer.prepare(4096), net::redirect_error(kAwait, failure));
    if (failure) co_return failure;
    buffer.commit(read);
  }
}

Task<bool> HttpServer::State::serve_one(Wire& stream, beast::flat_buffer& buffer, Channel channel) {
  RequestParser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  parser.body_limit(limits.body_bytes);

  error_code failure = co_await read_header(stream, buffer, parser);
  if (!failure) {
    stream.plain().expires_after(span(limits.body_time));
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      http::response<http::empty_body> go_ahead{http::status::continue_, parser.get().version()};
      co_await http::async_write(stream, go_ahead, net::redirect_error(kAwait, failure));
    }
  }
  if (!failure) co_await http::async_read(stream, buffer, parser, net::redirect_error(kAwait, failure));
  if (failure) {
    if (!peer_gone(failure)) co_await refuse(stream, describe(failure, limits));
    co_return false;
  }

  const http::request<http::string_body> message = parser.release();
  Request request;
  request.channel = channel;
  if (!fill(request, message)) {
    co_await refuse(stream, refusal(400, "the request's address or headers are not well formed"));
    co_return false;
  }
  stream.plain().expires_never();
  bool go_on = false;
  std::optional<Reader> reader;
  {
    const Counted counted{requests};
    Response response = co_await ask_handler(std::move(request));
    if (response.stream) reader.emplace(response.stream);
    go_on = co_await write(stream, std::move(response), message.version(), reader || message.keep_alive());
  }
  stop_when_idle();
  if (!reader) co_return go_on;
  if (go_on) co_await write_stream(stream, reader->live);
  co_return false;
}

Task<Response> HttpServer::State::ask_handler(Request request) {
  const auto waiting = std::make_shared<Waiting>(io.get_executor());
  waiting->timer.expires_after(span(limits.answer_time));
  const std::weak_ptr<State> weak = weak_from_this();
  const std::weak_ptr<Waiting> weak_waiting = waiting;
  handler(std::make_shared<const Request>(std::move(request)), [weak_waiting, weak](Response response) {
    const std::shared_ptr<State> state = weak.lock();  // declared first, so that the timer goes before its context
    const std::shared_ptr<Waiting> there = weak_waiting.lock();
    if (!state || !there || there->answered.test_and_set()) return;
    net::post(state->io, [there, response = std::move(response)]() mutable {
      there->response = std::move(response);
      there->timer.cancel();
    });
  });
  error_code cancelled;
  while (!waiting->response) {
    co_await waiting->timer.async_wait(net::redirect_error(kAwait, cancelled));
    if (!waiting->response && !cancelled)
      co_return refusal(503,
                        "no answer in time; whether the request was carried out is not known: look before you "
                        "repeat it");
  }
  co_return std::move(*waiting->response);
}

Task<bool> HttpServer::State::write(Wire& stream, Response response, unsigned version, bool keep_alive) {
  http::response<http::string_body> message{static_cast<http::status>(response.status), version};
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) message.set(name, value);
  error_code failure;
  stream.plain().expires_after(span(limits.write_time));
  if (response.stream) {
    message.chunked(true);
    http::response_serializer<http::string_body> serializer{message};
    co_await http::async_write_header(stream, serializer, net::redirect_error(kAwait, failure));
    co_return !failure;
  }
  message.body() = std::move(response.body);
  message.keep_alive(keep_alive);
  message.prepare_payload();
  const std::string text = text_of(message);
  co_await net::async_write(stream, net::buffer(text), net::redirect_error(kAwait, failure));
  co_return !failure && keep_alive;
}

Task<> HttpServer::State::write_stream(Wire& stream, std::shared_ptr<LiveStream> live) {
  const auto news = std::make_shared<Timer>(io.get_executor());
  const std::weak_ptr<State> weak = weak_from_this();
  const std::weak_ptr<Timer> weak_news = news;
  live->on_ready([weak_news, weak] {
    const std::shared_ptr<State> state = weak.lock();  // declared first, so that the timer goes before its context
    if (!state) return;
    net::post(state->io, [weak_news] {
      if (const std::shared_ptr<Timer> there = weak_news.lock()) there->cancel();
    });
  });
  error_code failure;
  for (;;) {
    news->expires_after(span(limits.stream_ping));
    LiveStream::Taken taken = live->take();
    if (taken.bytes.empty() && !taken.ended) {
      co_await news->async_wait(net::redirect_error(kAwait, failure));
      taken = live->take();
      if (taken.bytes.empty() && !taken.ended && !failure) taken.bytes = live->ping();
    }
    stream.plain().expires_after(span(limits.write_time));
    if (!taken.bytes.empty()) {
      co_await net::async_write(stream, http::make_chunk(net::buffer(taken.bytes)),
                                net::redirect_error(kAwait, failure));
      if (failure) co_return;
    }
    if (taken.ended) {
      co_await net::async_write(stream, http::make_chunk_last(), net::redirect_error(kAwait, failure));
      co_return;
    }
    stream.plain().expires_never();
  }
}

/// Answers and hangs up, reading on for a moment so that the answer is not lost to a reset.
Task<> HttpServer::State::refuse(Wire& stream, Response response) {
  if (!co_await write(stream, std::move(response), 11, false)) {
    co_await say_goodbye(stream);
    error_code failure;
    stream.plain().expires_after(kGoodbye);
    std::vector<char> rest(64 * 1024);
    for (std::size_t drained = 0; !failure && drained < 4 * limits.body_bytes;)
      drained += co_await stream.plain().async_read_some(net::buffer(rest), net::redirect_error(kAwait, failure));
  }
}

HttpServer::HttpServer(Handler handler, HttpLimits limits) : state_(std::make_shared<State>()) {
  state_->handler = std::move(handler);
  state_->limits = limits;
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::use_tls(TlsIdentity identity) { state_->identity = std::move(identity); }

expected<unsigned short> HttpServer::listen_tcp(const std::string& host, unsigned short port) {
  const std::string where = host + ":" + std::to_string(port);
  error_code failure;
  const auto address = net::ip::make_address(host, failure);
  if (failure)
    return fail(Error::Code::invalid, "cannot listen on " + where + ": '" + host + "' is not an address",
                "write an address such as 127.0.0.1:7777");
  using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;
  const auto acceptor = std::make_shared<Acceptor>(state_->io.get_executor());
  const net::ip::tcp::endpoint endpoint{address, port};
  if (!failure) acceptor->open(endpoint.protocol(), failure);
  if (!failure) acceptor->set_option(net::socket_base::reuse_address(true), failure);
  if (!failure) acceptor->bind(endpoint, failure);
  if (!failure) acceptor->listen(net::socket_base::max_listen_connections, failure);
  if (failure == net::error::address_in_use)
    return fail(
        Error::Code::unavailable, "cannot listen on " + where + ": the port is in use",
        "stop the program that has it, or choose another one with --listen " + host + ":PORT (0: any free one)");
  if (failure)
    return fail(Error::Code::unavailable, "cannot listen on " + where + ": " + failure.message(),
                "choose another address with --listen HOST:PORT");
  const unsigned short chosen = acceptor->local_endpoint(failure).port();
  state_->closers.emplace_back([acceptor] {
    error_code ignored;
    acceptor->close(ignored);
  });
  net::co_spawn(state_->io.get_executor(), state_->accept_all<net::ip::tcp>(acceptor, Channel::tcp), net::detached);
  return chosen;
}

expected<void> HttpServer::listen_unix(const std::string& path, Channel channel) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Error::Code::invalid, "cannot make the socket " + path + ": the path is too long for a socket",
                "choose a data folder with a shorter path with --data");
  using Protocol = net::local::stream_protocol;
  using Acceptor = net::basic_socket_acceptor<Protocol, Executor>;
  const auto acceptor = std::make_shared<Acceptor>(state_->io.get_executor());
  // The data folder's lock is ours, so a socket that is there belongs to a dead process.
  ::unlink(path.c_str());
  error_code failure;
  acceptor->open(Protocol(), failure);
  const mode_t before = ::umask(0177);
  if (!failure) acceptor->bind(Protocol::endpoint(path), failure);
  ::umask(before);
  if (!failure) acceptor->listen(net::socket_base::max_listen_connections, failure);
  if (failure)
    return fail(Error::Code::unavailable, "cannot make the socket " + path + ": " + failure.message(),
                "check that the data folder exists and belongs to you");
  state_->socket_files.push_back(path);
  state_->closers.emplace_back([acceptor] {
    error_code ignored;
    acceptor->close(ignored);
  });
  net::co_spawn(state_->io.get_executor(), state_->accept_all<Protocol>(acceptor, channel), net::detached);
  return {};
}

void HttpServer::start() {
  state_->thread = std::thread([state = state_.get()] {
    const auto work = net::make_work_guard(state->io);
    state->io.run();
  });
}

void HttpServer::stop() {
  if (!state_->thread.joinable()) return remove_sockets();
  net::post(state_->io, [state = state_.get()] {
    for (const auto& close : state->closers) close();
    state->stopping = true;
    state->patience.emplace(state->io.get_executor(), kGoodbye);
    state->patience->async_wait([state](error_code) { state->io.stop(); });
    state->stop_when_idle();
  });
  state_->thread.join();
  remove_sockets();
}

void HttpServer::remove_sockets() {
  for (const std::string& path : state_->socket_files) ::unlink(path.c_str());
  state_->socket_files.clear();
}

}  // namespace townd
