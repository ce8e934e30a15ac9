#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "forge/host.hpp"
#include "http/client.hpp"
#include "ports/clock.hpp"

namespace townd {

inline constexpr Duration kUsualRest = seconds(60);  ///< what a host asks for where it names no time
inline constexpr std::size_t kPrTitle = 250;         ///< bytes that every host takes
inline constexpr std::size_t kPrBody = 60'000;
inline constexpr std::size_t kRemembered = 1'000;  ///< pull requests, or people, of which something is

struct JsonAnswer {
  int status = 0;
  json::value body;
  std::string total;  ///< how many elements all pages have, where that is told
};

/// How one kind of host refuses.
struct WaysToRefuse {
  std::string_view calls_left;                    ///< the header with the calls that are left
  std::string_view allowed;                       ///< that with how many there are in all
  std::string_view resource;                      ///< that with what they are for; empty: for all
  std::string_view renewed_at;                    ///< and the one with when there are more, in seconds since 1970
  std::string (*lacking)(const http::Response&);  ///< what the token lacks, of a 403 or 404 that says so
  bool echoes_token = false;                      ///< in its words of a 401, which are told to nobody
};

/// The JSON interfaces of a host of pull requests.
class JsonCalls {
 public:
  JsonCalls(std::string host, WaysToRefuse ways, const Clock& clock, const std::atomic<bool>& stop)
      : host_(std::move(host)), ways_(ways), clock_(clock), stop_(stop) {}

  /// An answer with a status that is no refusal, or is one of `fine`.
  Asked<JsonAnswer> call(http::Request request, const json::value& body, const std::vector<int>& fine = {}) const;
  /// By what the host's allowances are for; one at least.
  [[nodiscard]] std::vector<HostCalls> made() const;

 private:
  void note(const http::Response& response) const;
  [[nodiscard]] Refusal refusal_of(const http::Response& response) const;

  const std::string host_;
  const WaysToRefuse ways_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  mutable std::mutex mutex_;  ///< of what follows
  mutable std::map<std::string, HostCalls> made_;
};

/// Of a host name that was checked.
WebAddress address_at(const std::string& url);
/// To `path` beneath an interface; to the interface itself when it is empty.
http::Request request_to(const WebAddress& interface, const std::string& method, const std::string& path);
/// As one part of an address; `kept` stays as it is.
std::string encoded(std::string_view text, std::string_view kept = "");
/// Whether nothing more can be under the same time of a change: clocks differ, and some tell the second only.
bool settled(const std::string& updated_at, Instant now, Duration after = seconds(10));
/// The members `message` and `error` in their forms, at most a line or two of them.
std::string words_of(const json::value& body);

// ---- GraphQL -----------------------------------------------------------------------------------------------------

inline constexpr int kFurtherPages = 20;  ///< of one connection

/// Of the part of a query with this number.
std::string alias(std::size_t part);
/// Where the next page of a connection begins; null when this was the last.
json::value next_page(const json::value* page);
/// Adds the nodes of a further page, which takes the place of the last one.
void add_page(json::value* page, const json::value* further);

}  // namespace townd
