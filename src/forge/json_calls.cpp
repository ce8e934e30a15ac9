#include "forge/json_calls.hpp"

#include <algorithm>
#include <charconv>

#include "codec/time_text.hpp"
#include "core/text.hpp"

namespace townd {
namespace {

constexpr std::size_t kAnswerBytes = std::size_t{8} << 20;
constexpr Duration kTimeout = seconds(30);
constexpr std::size_t kShownWords = 500;

void add_words(std::string& words, const json::value& said) {
  if (const json::array* list = said.if_array()) {
    for (const json::value& one : *list) add_words(words, one);
  } else if (const json::object* members = said.if_object()) {
    if (const json::value* message = members->if_contains("message")) return add_words(words, *message);
    for (const auto& [name, value] : *members) add_words(words, json::value(std::string(name) + " " + as_text(value)));
  } else if (const std::string text = as_text(said); !text.empty() && words.find(text) == std::string::npos) {
    words += (words.empty() ? "" : ": ") + text;
  }
}

}  // namespace

std::string words_of(const json::value& body) {
  std::string words;
  for (const char* member : {"message", "error_description", "error", "errors"})
    add_words(words, member_of(body, member));
  return at_most(words, kShownWords);
}

std::string encoded(std::string_view text, std::string_view kept) {
  std::string made;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (plain || kept.find(c) != std::string_view::npos) {
      made += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    made += '%';
    made += "0123456789ABCDEF"[byte >> 4];
    made += "0123456789ABCDEF"[byte & 15];
  }
  return made;
}

bool settled(const std::string& updated_at, Instant now, Duration after) {
  const auto updated = instant_from_text(updated_at);
  return updated && stale(updated, after, now);
}

WebAddress address_at(const std::string& url) {
  auto address = read_web_address(url);
  return address ? *address : WebAddress{};
}

http::Request request_to(const WebAddress& interface, const std::string& method, const std::string& path) {
  http::Request request;
  request.method = method;
  request.to = interface;
  const std::string base = interface.path == "/" ? "" : interface.path;
  request.url = path.empty() ? interface.url() : interface.url(base + path);
  request.headers = {"User-Agent: townd", "Content-Type: application/json"};
  return request;
}

Asked<JsonAnswer> JsonCalls::call(http::Request request, const json::value& body, const std::vector<int>& fine) const {
  request.body = body.is_null() ? std::string() : json::serialize(body);
  request.answer_limit = kAnswerBytes;
  request.timeout = kTimeout;
  const auto response = http::perform(request, stop_);
  if (!response) return tl::unexpected(Refusal{"network", 0, true, response.error().what, {}});
  note(*response);
  const bool good = response->status >= 200 && response->status < 300;
  if (!good && std::count(fine.begin(), fine.end(), response->status) == 0)
    return tl::unexpected(refusal_of(*response));
  JsonAnswer answer{response->status, nullptr, response->header("x-total-count")};
  if (response->body.empty()) return answer;
  auto read = parse_json(response->body);
  if (!read) return tl::unexpected(Refusal{"invalid_response", response->status, false, read.error().what, {}});
  answer.body = std::move(*read);
  return answer;
}

namespace {

std::int64_t counted(const std::string& text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() && count > 0 ? count : 0;
}

}  // namespace

void JsonCalls::note(const http::Response& response) const {
  constexpr std::size_t kResources = 20;  // a host that names ever new ones is not believed
  std::string resource = ways_.resource.empty() ? std::string() : at_most(response.header(ways_.resource), 50);
  const std::lock_guard lock(mutex_);
  if (made_.size() >= kResources && !made_.contains(resource)) resource.clear();
  HostCalls& calls = made_[resource];
  calls.resource = std::move(resource);
  ++calls.made;
  if (const std::int64_t allowed = counted(response.header(ways_.allowed)); allowed > 0) {
    calls.allowed = allowed;
    calls.left = counted(response.header(ways_.calls_left));
  }
}

std::vector<HostCalls> JsonCalls::made() const {
  std::vector<HostCalls> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [resource, calls] : made_) all.push_back(calls);
  if (all.empty()) all.emplace_back();
  for (HostCalls& calls : all) calls.host = host_;
  return all;
}

namespace {

/// Until when the host wants to be left alone, when it says so.
MaybeInstant rest_asked_for(const http::Response& response, const WaysToRefuse& ways, Instant now) {
  if (const std::string after = response.header("retry-after"); !after.empty())
    return now + http::retry_after(after, now, kUsualRest);
  if (response.header(ways.calls_left) != "0") return std::nullopt;
  const std::string reset = response.header(ways.renewed_at);
  const std::int64_t at = counted(reset);
  if (at == 0) return now + kUsualRest;
  constexpr std::int64_t kLatest = 100'000'000'000;  // s
  return std::clamp(Instant{std::min(at, kLatest) * 1000}, now + seconds(1), now + hours(2));
}

}  // namespace

/// By status and headers; the body may be anything.
Refusal JsonCalls::refusal_of(const http::Response& response) const {
  const Instant now = clock_.now();
  const auto body = parse_json(response.body);
  const std::string words = body ? words_of(*body) : std::string();
  Refusal refusal{"http_error", response.status, false, words, {}};
  const bool limited = response.status == 429 || response.status == 403;
  const bool spent = response.header(ways_.calls_left) == "0" || !response.header("retry-after").empty() ||
                     words.find("secondary rate limit") != std::string::npos;
  refusal.transient = response.status >= 500 || response.status == 408 || response.status == 429 || (limited && spent);
  if (refusal.transient) refusal.rest_until = rest_asked_for(response, ways_, now);
  if (limited && refusal.transient && !refusal.rest_until) refusal.rest_until = now + kUsualRest;
  if (refusal.transient) return refusal;
  if (response.status == 401)
    refusal.why =
        (ways_.echoes_token ? "" : words + "; ") + host_ + " does not know the token, or not any more: make a new one";
  else if (response.status == 403 || response.status == 404)
    refusal.why += ways_.lacking(response);
  else if (response.status >= 300 && response.status < 400)
    refusal.why = "it answers with a redirect, which townd does not follow; was the repository renamed?";
  return refusal;
}

// ---- GraphQL -----------------------------------------------------------------------------------------------------

std::string alias(std::size_t part) { return "p" + std::to_string(part); }

json::value next_page(const json::value* page) {
  if (page == nullptr) return nullptr;
  const json::value& info = member_of(*page, "pageInfo");
  return truth_of(info, "hasNextPage") ? member_of(info, "endCursor") : json::value(nullptr);
}

void add_page(json::value* page, const json::value* further) {
  if (page == nullptr || further == nullptr || !page->is_object()) return;
  auto& known = page->get_object();
  if (auto* nodes = known.if_contains("nodes"); nodes != nullptr && nodes->is_array())
    for (const json::value& node : list_of(*further, "nodes")) nodes->get_array().push_back(node);
  known["pageInfo"] = member_of(*further, "pageInfo");
}

}  // namespace townd
