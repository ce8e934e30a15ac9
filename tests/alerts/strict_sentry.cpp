#include "strict_sentry.hpp"

#include <algorithm>
#include <array>
#include <regex>

namespace townd::test {
namespace {

bool matches(const std::string& text, const char* pattern) { return std::regex_match(text, std::regex(pattern)); }

bool text_like(const json::object& object, std::string_view key, const char* pattern) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() && matches(std::string(value->get_string()), pattern);
}

std::string strange_key(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object)
    if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) return std::string(key);
  return {};
}

const char* const kId = "[0-9a-f]{32}";
const char* const kTime = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)";

std::string tags_trouble(const json::object& event) {
  const json::value* tags = event.if_contains("tags");
  if (tags == nullptr || !tags->is_object()) return "no tags";
  for (const auto& [key, value] : tags->get_object()) {
    if (!matches(std::string(key), "[a-zA-Z0-9_.:-]{1,32}")) return "a tag is called " + std::string(key);
    if (!value.is_string() || value.get_string().size() > 200 || value.get_string().empty())
      return "the tag " + std::string(key) + " has no text of 1 to 200 characters";
    if (value.get_string().find('\n') != json::string::npos) return "the tag " + std::string(key) + " has two lines";
  }
  return {};
}

std::string event_trouble(const json::object& event) {
  if (const std::string strange =
          strange_key(event, {"event_id", "timestamp", "platform", "level", "logger", "release", "server_name", "tags",
                              "extra", "fingerprint", "logentry", "sdk", "environment", "exception", "transaction"});
      !strange.empty())
    return "an event has no " + strange;
  if (!text_like(event, "event_id", kId)) return "event_id";
  if (!text_like(event, "timestamp", kTime)) return "timestamp";
  if (!text_like(event, "platform", "native|other")) return "platform";
  if (!text_like(event, "level", "fatal|error|warning|info|debug")) return "level";
  if (!text_like(event, "logger", "[a-z.]+")) return "logger";
  if (!text_like(event, "release", R"([a-z]+@\d+\.\d+\.\d+\S*)")) return "release";
  if (!text_like(event, "server_name", ".+")) return "server_name";
  const json::value* extra = event.if_contains("extra");
  if (extra == nullptr || !extra->is_object()) return "extra";
  const json::value* marks = event.if_contains("fingerprint");
  if (marks == nullptr || !marks->is_array() || marks->get_array().empty()) return "fingerprint";
  for (const json::value& mark : marks->get_array())
    if (!mark.is_string()) return "fingerprint";
  const json::value* entry = event.if_contains("logentry");
  if (entry == nullptr || !entry->is_object() || !entry->get_object().contains("formatted") ||
      !strange_key(entry->get_object(), {"formatted", "message", "params"}).empty())
    return "logentry";
  return tags_trouble(event);
}

/// The object in the first line, which goes.
bool take_object(std::string& rest, json::object& object) {
  const std::size_t end = rest.find('\n');
  if (end == std::string::npos) return false;
  const auto parsed = parse_json(rest.substr(0, end));
  rest.erase(0, end + 1);
  if (!parsed || !parsed->is_object()) return false;
  object = parsed->get_object();
  return true;
}

}  // namespace

std::string StrictSentry::take(const Received& request) {
  const std::string head = head_trouble(request);
  return head.empty() ? body_trouble(request.body) : head;
}

std::string StrictSentry::head_trouble(const Received& request) const {
  if (request.line != "POST /api/" + project_ + "/envelope/ HTTP/1.1") return "request line: " + request.line;
  const auto header = [&](const char* name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string() : found->second;
  };
  if (header("content-type") != "application/x-sentry-envelope") return "content type: " + header("content-type");
  if (header("content-length") != std::to_string(request.body.size())) return "content length";
  if (!header("expect").empty() || !header("transfer-encoding").empty()) return "a header that is not needed";
  if (!matches(header("user-agent"), R"(townd/\d+\.\d+\.\d+)")) return "user agent: " + header("user-agent");
  const std::string auth = header("x-sentry-auth");
  std::smatch parts;
  if (!std::regex_match(
          auth, parts,
          std::regex(
              R"(Sentry sentry_version=7, sentry_client=townd/\d+\.\d+\.\d+, sentry_key=(\w+)(, sentry_secret=\w+)?)")))
    return "auth: its form";
  if (parts[1] != key_) return "auth: the key";
  return {};
}

std::string StrictSentry::body_trouble(const std::string& body) {
  std::string rest = body;
  json::object envelope, item;
  if (!take_object(rest, envelope)) return "no envelope header";
  if (const std::string strange = strange_key(envelope, {"event_id", "sent_at", "dsn", "sdk"}); !strange.empty())
    return "an envelope has no " + strange;
  if (!text_like(envelope, "event_id", kId) || !text_like(envelope, "sent_at", kTime)) return "envelope header";
  if (!text_like(envelope, "dsn", ("https?://" + key_ + R"(@[^/@:]+:\d+(/.*)?/)" + project_).c_str())) return "dsn";
  if (!take_object(rest, item)) return "no item header";
  if (const std::string strange = strange_key(item, {"type", "length", "content_type"}); !strange.empty())
    return "an item has no " + strange;
  if (!text_like(item, "type", "event") || !text_like(item, "content_type", "application/json")) return "item header";
  const json::value* length = item.if_contains("length");
  if (length == nullptr || !length->is_int64() || rest.size() != static_cast<std::size_t>(length->get_int64()) + 1 ||
      rest.back() != '\n')
    return "the item's length";
  rest.pop_back();
  const auto event = parse_json(rest);
  if (!event || !event->is_object()) return "the event is no JSON object";
  if (std::string trouble = event_trouble(event->get_object()); !trouble.empty()) return "event: " + trouble;
  if (event->at("event_id") != envelope.at("event_id")) return "two ids";
  if (ids_.insert(std::string(event->at("event_id").get_string())).second)
    events.push_back(event->get_object());
  else
    ++doubles;
  return {};
}

}  // namespace townd::test
