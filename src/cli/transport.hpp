#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"

/// HTTP to the daemon, over its unix socket or a URL. libcurl stays in transport.cpp.
namespace townd::cli {

/// Where the daemon is and who we are to it.
struct Address {
  std::string socket;  ///< unix socket; empty: `url` is used
  std::string url;     ///< `http://127.0.0.1:7777`
  std::string token;   ///< empty on the socket of our own user
};

struct Reply {
  int status = 0;
  std::string body;
};

/// What else goes on while an answer is followed.
struct Meanwhile {
  std::vector<int> descriptors;  ///< each that is readable ends a wait
  /// Called before each wait; answers how long it may be at most, or nothing to end the following.
  std::function<std::optional<std::chrono::milliseconds>()> turn;
};

class Transport {
 public:
  /// `patience`: for an answer that is not followed; a landing or a clone may hold it up for long.
  explicit Transport(Address address, std::chrono::milliseconds patience = std::chrono::minutes(2));
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// An error means that no answer came: code `unavailable`. `key` makes a repeated POST harmless; may be empty.
  expected<Reply> send(std::string_view method, const std::string& target, const std::string& body,
                       const std::string& key);

  /// Hands every piece of the answer's body to `take` until it says false, `meanwhile` does or the answer ends.
  using Take = std::function<bool(std::string_view)>;
  expected<Reply> follow(const std::string& target, const std::vector<std::string>& headers, const Take& take,
                         const Meanwhile& meanwhile = {});

  [[nodiscard]] const Address& address() const { return address_; }

 private:
  expected<Reply> perform(std::string_view method, const std::string& target, const std::string* body,
                          std::vector<std::string> headers, const Take* take, const Meanwhile* meanwhile);

  Address address_;
  std::chrono::milliseconds patience_;
  void* curl_;
};

/// Percent-encodes one part of a path or query.
std::string percent_encoded(std::string_view text);

}  // namespace townd::cli
