#include "http/client.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "core/text.hpp"

namespace townd::http {
namespace {

constexpr long kConnectTimeout = 5'000;  // ms
constexpr std::size_t kHeaderValue = 4096;
constexpr std::size_t kHeaders = 200;
constexpr const char* kAuthorities = "SSL_CERT_FILE";  ///< as for other programs with OpenSSL
constexpr Duration kLongestHold = days(1);

struct Library {
  Library() { curl_global_init(CURL_GLOBAL_ALL); }
  ~Library() { curl_global_cleanup(); }
};

struct Transfer {
  const Request& request;
  const std::atomic<bool>& stop;
  Response answer;
  bool forbidden = false;
  bool too_long = false;
};

struct FreeEasy {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (!may_connect(address->addr, transfer.request.to.tls)) {
    transfer.forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + size > transfer.request.answer_limit) {
    transfer.too_long = true;
    return 0;
  }
  transfer.answer.body.append(data, size);
  return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  Response& answer = static_cast<Transfer*>(context)->answer;
  std::string_view line(data, size);
  if (line.starts_with("HTTP/")) answer.headers.clear();  // the last answer counts, after 100-continue too
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || answer.headers.size() >= kHeaders) return size;
  std::string name = lower(line.substr(0, colon));
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  answer.headers.emplace_back(std::move(name), line.substr(0, kHeaderValue));
  return size;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(context)->stop ? 1 : 0;
}

void set_up(CURL* curl, const Request& request, curl_slist* headers, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request.to.tls ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeout);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.ms));
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (const char* authorities = std::getenv(kAuthorities); authorities != nullptr && *authorities != '\0')
    curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

}  // namespace

std::string Response::header(std::string_view name) const {
  std::string joined;
  for (const auto& [known, value] : headers) {
    if (known != name) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

expected<Response> perform(const Request& request, const std::atomic<bool>& stop) {
  static const Library library;
  const std::unique_ptr<CURL, FreeEasy> curl(curl_easy_init());
  std::unique_ptr<curl_slist, FreeHeaders> headers(curl_slist_append(nullptr, "Expect:"));
  for (const std::string& header : request.headers) headers.reset(curl_slist_append(headers.release(), header.c_str()));
  Transfer transfer{request, stop, {}, false, false};
  set_up(curl.get(), request, headers.get(), transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.answer.status = static_cast<int>(status);
    return std::move(transfer.answer);
  }
  const std::string why = transfer.forbidden ? "its address is one that townd may not call"
                          : transfer.too_long
                              ? "its answer is longer than " + std::to_string(request.answer_limit) + " bytes"
                              : curl_easy_strerror(code);
  return fail(Error::Code::unavailable, request.to.place() + ": " + why);
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

}  // namespace townd::http
