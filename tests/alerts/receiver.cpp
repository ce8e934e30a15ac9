#include "receiver.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace townd::test {
namespace {

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// False when the connection ends before, or is broken off by `end`.
bool read_more(int connection, int end, std::string& into) {
  std::array<pollfd, 2> polls{{{connection, POLLIN, 0}, {end, POLLIN, 0}}};
  if (::poll(polls.data(), polls.size(), -1) < 0 || polls[1].revents != 0) return false;
  std::array<char, 4096> bytes;
  const ssize_t n = ::read(connection, bytes.data(), bytes.size());
  if (n <= 0) return false;
  into.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

Received parse_head(const std::string& head) {
  Received received;
  std::size_t at = head.find("\r\n");
  received.line = head.substr(0, at);
  while (at + 2 < head.size()) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, next - at - 2);
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) received.headers[lower_case(line.substr(0, colon))] = line.substr(colon + 2);
    if (next == std::string::npos) break;
    at = next;
  }
  return received;
}

}  // namespace

Receiver::Receiver(Answer answer, int port) : answer_(std::move(answer)) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  end_ = ::eventfd(0, EFD_CLOEXEC);
  const int yes = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_, 16) != 0)
    throw std::runtime_error("the receiver cannot listen");
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

Receiver::~Receiver() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(end_, &one, sizeof one);
  thread_.join();
  ::close(socket_);
  ::close(end_);
}

std::vector<Received> Receiver::all() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

bool Receiver::await(std::size_t count) {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, std::chrono::seconds(10), [&] { return received_.size() >= count; });
}

void Receiver::serve() {
  for (;;) {
    std::array<pollfd, 2> polls{{{socket_, POLLIN, 0}, {end_, POLLIN, 0}}};
    if (::poll(polls.data(), polls.size(), -1) < 0 || polls[1].revents != 0) return;
    const int connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    take(connection);
    ::close(connection);
  }
}

void Receiver::take(int connection) {
  std::string bytes;
  while (bytes.find("\r\n\r\n") == std::string::npos)
    if (!read_more(connection, end_, bytes)) return;
  const std::size_t head = bytes.find("\r\n\r\n");
  Received received = parse_head(bytes.substr(0, head));
  const auto length = received.headers.find("content-length");
  const std::size_t size = length == received.headers.end() ? 0 : std::stoul(length->second);
  while (bytes.size() < head + 4 + size)
    if (!read_more(connection, end_, bytes)) return;
  received.body = bytes.substr(head + 4);
  const Reply reply = answer_(received);
  {
    const std::lock_guard lock(mutex_);
    received_.push_back(std::move(received));
    came_.notify_all();
  }
  if (reply.status == 0) {
    std::string rest;
    while (read_more(connection, end_, rest)) {
    }
    return;
  }
  const std::string answer = "HTTP/1.1 " + std::to_string(reply.status) + " x\r\n" + reply.headers +
                             "Content-Length: 2\r\nConnection: close\r\n\r\n{}";
  [[maybe_unused]] const ssize_t written = ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
}

}  // namespace townd::test
