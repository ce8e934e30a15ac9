#include "cli/transport.hpp"

#include <curl/curl.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace townd::cli {

namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr const char* kAuthorities = "SSL_CERT_FILE";  ///< as for other programs with OpenSSL
constexpr std::size_t kAnswerLimit = 256UL << 20;

struct Taking {
  CURL* curl = nullptr;
  Reply reply;
  const Transport::Take* take = nullptr;
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

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// The transfer, with something else looked after while it waits.
CURLcode perform_meanwhile(Taking& taking, const Meanwhile& meanwhile) {
  const std::unique_ptr<CURLM, FreeMulti> multi(curl_multi_init());
  std::vector<curl_waitfd> others;
  for (const int descriptor : meanwhile.descriptors) others.push_back({descriptor, CURL_WAIT_POLLIN, 0});
  curl_multi_add_handle(multi.get(), taking.curl);
  for (int running = 1;;) {
    curl_multi_perform(multi.get(), &running);
    if (running == 0) break;
    const auto wait = meanwhile.turn();
    taking.stopped = !wait.has_value();
    if (!wait) break;
    curl_multi_poll(multi.get(), others.data(), static_cast<unsigned>(others.size()), static_cast<int>(wait->count()),
                    nullptr);
  }
  int left = 0;
  const CURLMsg* done = curl_multi_info_read(multi.get(), &left);
  const CURLcode code = done != nullptr ? done->data.result : CURLE_OK;
  curl_multi_remove_handle(multi.get(), taking.curl);
  return code;
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

Transport::Transport(Address address, std::chrono::milliseconds patience)
    : address_(std::move(address)), patience_(patience), curl_(curl_easy_init()) {}

Transport::~Transport() { curl_easy_cleanup(curl_); }

expected<Reply> Transport::perform(std::string_view method, const std::string& target, const std::string* body,
                                   std::vector<std::string> headers, const Take* take, const Meanwhile* meanwhile) {
  curl_easy_reset(curl_);
  const std::string method_text(method);
  const std::string url = (address_.socket.empty() ? address_.url : std::string("http://localhost")) + target;
  Taking taking{curl_, {}, take, false};

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
  if (take == nullptr) curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(patience_.count()));
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

  const CURLcode code = meanwhile != nullptr ? perform_meanwhile(taking, *meanwhile) : curl_easy_perform(curl_);
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
                                  const Meanwhile& meanwhile) {
  return perform("GET", target, nullptr, headers, &take, meanwhile.turn ? &meanwhile : nullptr);
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
