#include "runtime/stream.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace townd {

namespace json = boost::json;

/// A JSON object read without trust: what is missing or of another kind is empty.
class StreamObject {
 public:
  explicit StreamObject(const json::object* object) : object_(object) {}

  [[nodiscard]] const json::value* at(std::string_view key) const {
    return object_ == nullptr ? nullptr : object_->if_contains({key.data(), key.size()});
  }
  [[nodiscard]] std::string text(std::string_view key) const {
    const auto* value = at(key);
    return value != nullptr && value->is_string() ? std::string{value->as_string().c_str(), value->as_string().size()}
                                                  : std::string{};
  }
  [[nodiscard]] double number(std::string_view key) const {
    const auto* value = at(key);
    if (value == nullptr || !value->is_number()) return 0;
    const auto found = value->to_number<double>();
    // A count that no program can have had is not believed.
    constexpr double kMost = 1e15;
    return std::isfinite(found) && found > 0 && found < kMost ? found : 0;
  }
  [[nodiscard]] bool flag(std::string_view key) const {
    const auto* value = at(key);
    return value != nullptr && value->is_bool() && value->as_bool();
  }
  [[nodiscard]] StreamObject object(std::string_view key) const {
    const auto* value = at(key);
    return StreamObject{value != nullptr ? value->if_object() : nullptr};
  }
  [[nodiscard]] std::vector<StreamObject> objects(std::string_view key) const {
    std::vector<StreamObject> found;
    const auto* value = at(key);
    if (value == nullptr || !value->is_array()) return found;
    for (const auto& item : value->as_array())
      if (item.is_object()) found.emplace_back(&item.as_object());
    return found;
  }

 private:
  const json::object* object_;
};

namespace {

constexpr std::size_t kLineLimit = 4u << 20;  // a tool's result may be long; a line beyond this is skipped
constexpr std::size_t kToolLimit = 32;
constexpr std::size_t kTextLimit = 2000;

std::string cut(std::string text) {
  if (text.size() > kTextLimit) text.resize(kTextLimit);
  return text;
}

std::int64_t claude_tokens(const StreamObject& usage) {
  return static_cast<std::int64_t>(usage.number("input_tokens") + usage.number("output_tokens") +
                                   usage.number("cache_creation_input_tokens") +
                                   usage.number("cache_read_input_tokens"));
}

}  // namespace

void StreamReader::take(std::string_view bytes) {
  if (form_ == Preset::Stream::plain) return;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (!skipping_) partial_ += part;
    if (partial_.size() > kLineLimit) {
      skipping_ = true;
      partial_.clear();
    }
    if (end == std::string_view::npos) return;
    if (!skipping_) line(partial_);
    partial_.clear();
    skipping_ = false;
    bytes.remove_prefix(end + 1);
  }
}

void StreamReader::line(std::string_view text) {
  json::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) {
    // The lines of a stack trace are indented, or close it.
    if (!text.empty() && std::string_view{" \t{}[]"}.find(text.front()) == std::string_view::npos)
      last_words_ = cut(std::string{text});
    return;
  }
  const StreamObject event{&value.as_object()};
  if (form_ == Preset::Stream::claude) claude(event);
  if (form_ == Preset::Stream::codex) codex(event);
  if (form_ == Preset::Stream::gemini) gemini(event);
  if (form_ == Preset::Stream::opencode) opencode(event);
}

void StreamReader::tool_begins(const std::string& id, const std::string& name) {
  if (tools_.size() < kToolLimit) tools_[id] = cut(name);
}

void StreamReader::claude(const StreamObject& event) {
  const auto type = event.text("type");
  if (type.empty()) return;
  last_event_type_ = cut(type);
  if (type == "assistant" || type == "user") {
    const auto message = event.object("message");
    for (const auto& part : message.objects("content")) {
      if (part.text("type") == "tool_use") tool_begins(part.text("id"), part.text("name"));
      if (part.text("type") == "tool_result") tools_.erase(part.text("tool_use_id"));
    }
    if (type == "assistant") {
      // The same message is told again as it grows; its last count stands.
      auto& counted = message_tokens_[message.text("id")];
      const auto now = claude_tokens(message.object("usage"));
      turn_tokens_ += now - counted;
      counted = now;
    }
  }
  // {"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":<seconds>}}
  if (type == "rate_limit_event") {
    const auto info = event.object("rate_limit_info");
    const auto resets = static_cast<std::int64_t>(info.number("resetsAt"));
    if (info.text("status") == "rejected" && resets > 0) limited_until_ = Instant{resets * 1000};
  }
  if (type == "result") {
    tools_.clear();
    message_tokens_.clear();
    ended_tokens_ += claude_tokens(event.object("usage"));
    turn_tokens_ = 0;
    cost_micro_usd_ += std::llround(event.number("total_cost_usd") * 1e6);
    // `subtype` says success even when the model could not be reached: only is_error counts. Qwen Code, which speaks
    // the same form, sets not even that, and has its words in `error` when it could not begin.
    const auto result = event.text("result");
    const bool wrong = event.flag("is_error") || result.starts_with("[API Error:");
    error_ = wrong ? cut(result.empty() ? event.object("error").text("message") : result) : std::string{};
    if (wrong && error_.empty()) error_ = "it ended with an error: " + cut(event.text("subtype"));
  }
}

void StreamReader::codex(const StreamObject& event) {
  const auto type = event.text("type");
  if (type.empty()) return;
  last_event_type_ = cut(type);
  const auto item = event.object("item");
  if (type == "item.started") tool_begins(item.text("id"), item.text("type"));
  if (type == "item.completed") tools_.erase(item.text("id"));
  if (type == "turn.started") error_.clear();
  if (type == "turn.completed") {
    tools_.clear();
    const auto usage = event.object("usage");
    ended_tokens_ += static_cast<std::int64_t>(usage.number("input_tokens") + usage.number("output_tokens"));
    error_.clear();
  }
  if (type == "error") error_ = cut(event.text("message"));
  if (type == "turn.failed") error_ = cut(event.object("error").text("message"));
}

void StreamReader::gemini(const StreamObject& event) {
  const auto type = event.text("type");
  if (type.empty()) return;
  last_event_type_ = cut(type);
  if (type == "tool_use") tool_begins(event.text("tool_id"), event.text("tool_name"));
  if (type == "tool_result") tools_.erase(event.text("tool_id"));
  if (type == "result") {
    tools_.clear();
    ended_tokens_ += static_cast<std::int64_t>(event.object("stats").number("total_tokens"));
    error_.clear();
    if (event.text("status") != "success")
      error_ = cut("gemini ended with an error: " + event.object("error").text("message"));
  }
}

/// opencode, and kilo, which is made from it. A tool is told of when it has ended.
void StreamReader::opencode(const StreamObject& event) {
  const auto type = event.text("type");
  if (type.empty()) return;
  last_event_type_ = cut(type);
  if (type == "step_finish") {
    const auto part = event.object("part");
    const auto tokens = part.object("tokens");
    const auto cache = tokens.object("cache");
    ended_tokens_ +=
        static_cast<std::int64_t>(tokens.number("input") + tokens.number("output") + tokens.number("reasoning") +
                                  cache.number("read") + cache.number("write"));
    cost_micro_usd_ += std::llround(part.number("cost") * 1e6);
    error_.clear();
  }
  if (type == "error") {
    const auto error = event.object("error");
    const auto data = error.object("data");
    error_ = cut(data.text("message").empty() ? error.text("name") : data.text("message"));
    if (const auto status = data.number("statusCode"); status > 0)
      error_ += " (HTTP " + std::to_string(static_cast<int>(status)) + ")";
    if (error_.empty()) error_ = "it ended with an error";
  }
}

std::vector<std::string> StreamReader::active_tools() const {
  std::vector<std::string> names;
  for (const auto& [id, name] : tools_) names.push_back(name);
  return names;
}

}  // namespace townd
