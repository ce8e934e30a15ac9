#include "cli/transport.hpp"

#include <curl/curl.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace townd::cli {

namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr long kAnswerTimeoutMs = 120'000;  // a landing or a clone may hold the shard's answer for long
constexpr const char* kAuthorities = "SSL_CERT_FILE";  ///< as for other programs with OpenSSL
constexpr std::size_t kAnswerLimit = 256UL << 20;

struct Taking {
  CURL* curl = nullptr;
  Reply reply;
  const Transport::Take* take = nullptr;
  const std::function<bool()>* go_on = nullptr;
  bool stopped = false;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& taking = *static_cast<Taking*>(context);
  long status = 0;
  curl_easy_getinfo(taking.curl, CURLINFO_RESPONSE_CODE, &status);
  if (taking.take != nullptr && status == 200) {
    taking.stopped = !(*taking.take)({data, size});
    return taking.stopped ? 0 : size;
  }
  if (taking.reply.body.size() + size > kAnswerLimit) return 0;
  taking.reply.body.append(data, size);
  return size;
}

/// Called by libcurl at least once a second; anything but 0 ends the transfer.
int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& taking = *static_cast<Taking*>(context);
  taking.stopped = taking.stopped || !(*taking.go_on)();
  return taking.stopped ? 1 : 0;
}

std::string advice_for(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "Use a name that its certificate is for, and name the file of its authority with " +
             std::string(kAuthorities) + " when this machine does not know it.";
    case CURLE_SSL_CONNECT_ERROR:
      return "See whether it speaks https there; without TLS the address begins with http://.";
    default: return "Start it with: town up. Or name its data folder with --data.";
  }
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

Transport::Transport(Address address) : address_(std::move(address)), curl_(curl_easy_init()) {}

Transport::~Transport() { curl_easy_cleanup(curl_); }

expected<Reply> Transport::perform(std::string_view method, const std::string& target, const std::string* body,
                                   std::vector<std::string> headers, const Take* take,
                                   const std::function<bool()>* go_on) {
  curl_easy_reset(curl_);
  const std::string method_text(method);
  const std::string url = (address_.socket.empty() ? address_.url : std::string("http://localhost")) + target;
  Taking taking{curl_, {}, take, go_on, false};

  if (!address_.token.empty()) headers.push_back("Authorization: Bearer " + address_.token);
  headers.emplace_back("Expect:");
  std::unique_ptr<curl_slist, FreeList> list;
  for (const std::string& header : headers) list.reset(curl_slist_append(list.release(), header.c_str()));

  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, method_text.c_str());
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &taking);
  if (take == nullptr) curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, kAnswerTimeoutMs);
  if (go_on != nullptr) {
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, &on_progress);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &taking);
  }
  // The certificate is held against the system's authorities; libcurl knows of no other by itself.
  curl_easy_setopt(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (const char* authorities = std::getenv(kAuthorities); authorities != nullptr && *authorities != '\0')
    curl_easy_setopt(curl_, CURLOPT_CAINFO, authorities);
  std::array<char, CURL_ERROR_SIZE> details{};
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, details.data());
  if (!address_.socket.empty()) {
    curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, address_.socket.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  }
  if (body != nullptr) {
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }

  const CURLcode code = curl_easy_perform(curl_);
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  taking.reply.status = static_cast<int>(status);
  if (code == CURLE_OK || taking.stopped) return taking.reply;
  const bool by_url = address_.socket.empty();  // of a socket, libcurl's details name a port that is not meant
  const std::string where = by_url ? address_.url : address_.socket;
  const std::string why = by_url && details[0] != '\0' ? details.data() : curl_easy_strerror(code);
  return fail(Error::Code::unavailable, "the daemon does not answer at " + where + ": " + why, advice_for(code));
}

expected<Reply> Transport::send(std::string_view method, const std::string& target, const std::string& body,
                                const std::string& key) {
  std::vector<std::string> headers{"Accept: application/json"};
  const bool with_body = method != "GET";
  if (with_body) headers.emplace_back("Content-Type: application/json");
  if (!key.empty()) headers.push_back("Idempotency-Key: " + key);
  return perform(method, target, with_body ? &body : nullptr, std::move(headers), nullptr, nullptr);
}

expected<Reply> Transport::follow(const std::string& target, const std::vector<std::string>& headers, const Take& take,
                                  const std::function<bool()>& go_on) {
  return perform("GET", target, nullptr, headers, &take, go_on ? &go_on : nullptr);
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += "0123456789ABCDEF"[byte >> 4];
    encoded += "0123456789ABCDEF"[byte & 15];
  }
  return encoded;
}

}  // namespace townd::cli
