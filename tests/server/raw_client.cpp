#include "server/raw_client.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace townd::test {
namespace {

bool has(const HeaderList& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [name](const auto& header) { return header.first == name; });
}

void wait_at_most_ten_seconds(int socket) {
  const timeval limit{10, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

RawClient RawClient::tcp(unsigned short port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(made);
    return RawClient(-1);
  }
  wait_at_most_ten_seconds(made);
  return RawClient(made);
}

RawClient RawClient::unix_socket(const std::string& path) {
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(made);
    return RawClient(-1);
  }
  wait_at_most_ten_seconds(made);
  return RawClient(made);
}

RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}
RawClient::RawClient(RawClient&& other) noexcept : socket_(other.socket_), read_(std::move(other.read_)) {
  other.socket_ = -1;
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the other side has hung up; what it said can still be read
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::more() {
  std::array<char, 16384> piece{};
  ssize_t got = 0;
  do got = ::recv(socket_, piece.data(), piece.size(), 0);
  while (got < 0 && errno == EINTR);  // a daemon in the same process hears signals
  if (got <= 0) return false;
  read_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::read_until(std::string_view wanted) {
  std::size_t found = std::string::npos;
  while ((found = read_.find(wanted)) == std::string::npos)
    if (!more()) return std::exchange(read_, {});
  std::string all = read_.substr(0, found + wanted.size());
  read_.erase(0, found + wanted.size());
  return all;
}

std::string RawClient::read_to_end() {
  while (more()) {
  }
  return std::exchange(read_, {});
}

Reply RawClient::receive() {
  Reply reply;
  const std::string head = read_until("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 ")) return reply;
  reply.status = std::atoi(head.c_str() + 9);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(':', at);
    if (end == std::string::npos || colon == std::string::npos || colon > end) break;
    std::string name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    reply.headers[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (const auto length = reply.headers.find("content-length"); length != reply.headers.end()) {
    const auto size = static_cast<std::size_t>(std::atoll(length->second.c_str()));
    while (read_.size() < size && more()) {
    }
    reply.body = read_.substr(0, size);
    read_.erase(0, size);
  }
  return reply;
}

std::string RawClient::request(std::string_view method, std::string_view target, std::string_view body,
                               const HeaderList& headers) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (!has(headers, "Host")) text += "Host: localhost\r\n";
  if (method != "GET" && !has(headers, "Content-Type")) text += "Content-Type: application/json\r\n";
  if (method != "GET" && !has(headers, "Content-Length"))
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers)
    if (!value.empty()) text += name + ": " + value + "\r\n";
  return text + "\r\n" + std::string(body);
}

Reply RawClient::ask(std::string_view method, std::string_view target, std::string_view body,
                     const HeaderList& headers) {
  send(request(method, target, body, headers));
  return receive();
}

}  // namespace townd::test
