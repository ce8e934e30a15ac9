#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace townd::test {

struct Reply {
  int status = 0;                              ///< 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  ///< names in small letters
  std::string body;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One connection, written to and read from byte by byte, because a well-behaved client cannot misbehave.
class RawClient {
 public:
  static RawClient tcp(unsigned short port);
  static RawClient unix_socket(const std::string& path);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  [[nodiscard]] bool connected() const { return socket_ >= 0; }
  void send(std::string_view bytes);
  /// The next answer, with its body when it has a length.
  Reply receive();
  /// What comes until `wanted` is in it or the connection ends.
  std::string read_until(std::string_view wanted);
  /// Everything until the other side hangs up.
  std::string read_to_end();

  /// A whole request; Host, Content-Length and, for a body, Content-Type are added unless `headers` has them.
  Reply ask(std::string_view method, std::string_view target, std::string_view body = {},
            const HeaderList& headers = {});
  static std::string request(std::string_view method, std::string_view target, std::string_view body,
                             const HeaderList& headers);

 private:
  explicit RawClient(int socket) : socket_(socket) {}
  bool more();

  int socket_;
  std::string read_;
};

}  // namespace townd::test
