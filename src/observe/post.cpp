#include "observe/post.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

namespace townd {
namespace {

constexpr long kConnectTimeout = 5'000;        // ms
constexpr long kPostTimeout = 15'000;          // ms
constexpr std::size_t kAnswerBytes = 1 << 16;  ///< nothing in the body is of use; more than this is no answer
constexpr std::size_t kHeaderValue = 4096;
constexpr const char* kAuthorities = "SSL_CERT_FILE";  ///< as for other programs with OpenSSL
constexpr Duration kLongestHold = days(1);
constexpr Duration kUsualHold = seconds(60);  ///< what Sentry asks for when a 429 does not say

struct Library {
  Library() { curl_global_init(CURL_GLOBAL_ALL); }
  ~Library() { curl_global_cleanup(); }
};

struct Transfer {
  const WebAddress& to;
  const std::atomic<bool>& stop;
  PostAnswer answer;
  std::size_t body = 0;
  bool forbidden = false;
};

struct FreeEasy {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (!may_connect(address->addr, transfer.to.tls)) {
    transfer.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t on_answer_body(char*, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.body += size;
  return transfer.body > kAnswerBytes ? 0 : size;
}

/// The value of a header line, when it is that header's.
bool take_header(std::string_view line, std::string_view name, std::string& value) {
  const auto lower_case = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (lower_case(line[i]) != name[i]) return false;
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  // The same header twice says as much as once with a comma.
  if (!value.empty()) value += ", ";
  value += line.substr(0, kHeaderValue);
  return true;
}

std::size_t on_answer_header(char* data, std::size_t, std::size_t size, void* context) {
  PostAnswer& answer = static_cast<Transfer*>(context)->answer;
  const std::string_view line(data, size);
  if (!take_header(line, "retry-after", answer.retry_after))
    take_header(line, "x-sentry-rate-limits", answer.rate_limits);
  return size;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->stop ? 1 : 0;
}

void set_up(CURL* curl, const Post& post, curl_slist* headers, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, post.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, transfer.to.tls ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post.body.c_str());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kPostTimeout);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (const char* authorities = std::getenv(kAuthorities); authorities != nullptr && *authorities != '\0')
    curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_answer_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_answer_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

}  // namespace

expected<PostAnswer> send(const Post& post, const std::atomic<bool>& stop) {
  static const Library library;
  const std::unique_ptr<CURL, FreeEasy> curl(curl_easy_init());
  std::unique_ptr<curl_slist, FreeHeaders> headers(curl_slist_append(nullptr, "Expect:"));
  for (const std::string& header : post.headers) headers.reset(curl_slist_append(headers.release(), header.c_str()));
  Transfer transfer{post.to, stop, {}, 0, false};
  set_up(curl.get(), post, headers.get(), transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    return transfer.answer;
  }
  const std::string why =
      transfer.forbidden ? "its address is one that alerts may not go to" : curl_easy_strerror(code);
  return fail(Error::Code::unavailable, post.to.place() + ": " + why);
}

Sent judge(const expected<PostAnswer>& answer, Instant now) {
  if (!answer) return {Sent::Fate::later, answer.error().what, {}, false};
  const int status = answer->status;
  if (status >= 200 && status < 300) return {Sent::Fate::taken, {}, {}, true};
  Sent sent{Sent::Fate::refused, "it answered with status " + std::to_string(status), {}, true};
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    sent.fate = Sent::Fate::later;
    if (status == 429 || !answer->retry_after.empty())
      sent.hold = retry_after(answer->retry_after, now, status == 429 ? kUsualHold : Duration{});
  }
  return sent;
}

Duration retry_after(const std::string& text, Instant now, Duration otherwise) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  Duration hold = otherwise;
  if (error == std::errc{} && end == text.data() + text.size() && number >= 0) {
    hold.ms = static_cast<std::int64_t>(std::ceil(std::min(number, 1e6) * 1000));
  } else if (const std::time_t at = curl_getdate(text.c_str(), nullptr); !text.empty() && at > 0) {
    hold = Instant{static_cast<std::int64_t>(at) * 1000} - now;
  }
  return hold.ms == 0 && otherwise.ms == 0 ? hold : std::clamp(hold, seconds(1), kLongestHold);
}

}  // namespace townd
