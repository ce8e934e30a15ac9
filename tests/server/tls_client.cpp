#include "server/tls_client.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace townd::test {

TlsFiles make_certificate(const std::string& folder, const std::string& name) {
  TlsFiles files{folder + "/" + name + ".pem", folder + "/" + name + ".key"};
  const std::string command =
      "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1" +
      (" -subj /CN=" + name) + " -addext subjectAltName=DNS:" + name + ",IP:127.0.0.1 -keyout '" + files.key +
      "' -out '" + files.cert + "' 2> /dev/null";
  if (std::system(command.c_str()) != 0) return {};
  return files;
}

TlsClient::TlsClient(unsigned short port, int newest) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to whoever has hung up
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);  // else OpenSSL itself would not offer what the server is to refuse
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, newest);
  ssl_ = SSL_new(context);
  SSL_CTX_free(context);
  SSL_set_fd(ssl_, socket_);
  ERR_clear_error();
  connected_ = SSL_connect(ssl_) == 1;
  if (const char* said = ERR_reason_error_string(ERR_peek_error())) trouble_ = said;
}

TlsClient::~TlsClient() {
  SSL_free(ssl_);
  ::close(socket_);
}

void TlsClient::send(std::string_view bytes) { SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())); }

bool TlsClient::more() {
  std::array<char, 16384> piece{};
  const int got = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
  if (got <= 0) {
    announced_end_ = SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
    return false;
  }
  read_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::string TlsClient::read_until(std::string_view wanted) {
  std::size_t found = std::string::npos;
  while ((found = read_.find(wanted)) == std::string::npos)
    if (!more()) return std::exchange(read_, {});
  std::string all = read_.substr(0, found + wanted.size());
  read_.erase(0, found + wanted.size());
  return all;
}

std::string TlsClient::read_to_announced_end() {
  while (more()) {
  }
  return announced_end_ ? std::exchange(read_, {}) : "cut off";
}

}  // namespace townd::test
