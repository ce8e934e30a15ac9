#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace townd::test {

struct Received {
  std::string line;                            ///< `POST /path HTTP/1.1`
  std::map<std::string, std::string> headers;  ///< by their names in lower case
  std::string body;
};

/// What to answer: a status line's number, with header lines; nothing at all for status 0, until it is torn down.
struct Reply {
  int status = 200;
  std::string headers{};  ///< each with its line end
};

/// An HTTP server on a port of this machine that takes one request at a time and keeps what it got.
class Receiver {
 public:
  using Answer = std::function<Reply(const Received&)>;
  /// Port 0: any.
  explicit Receiver(Answer answer, int port = 0);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<Received> all() const;
  /// Whether so many requests have come within 10 s.
  bool await(std::size_t count);

 private:
  void serve();
  void take(int connection);

  const Answer answer_;
  int socket_ = -1;
  int end_ = -1;  ///< becomes readable when it is torn down
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Received> received_;
  std::thread thread_;
};

}  // namespace townd::test
