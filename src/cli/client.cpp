#include "cli/client.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

#include "server/operations.hpp"

namespace townd::cli {

namespace {

/// An agent must not lose its work because the daemon is being restarted while it hands it in.
constexpr std::chrono::seconds kAgentWaits{180};
constexpr std::chrono::milliseconds kAgentTriesEvery{500};

std::string random_key() {
  std::random_device source;
  std::string key;
  for (int i = 0; i < 4; ++i) key += std::to_string(source());
  return key;
}

std::string with_query(std::string target, const json::object& query) {
  char sign = '?';
  for (const auto& [name, value] : query) {
    const std::string text = as_text(value);
    if (text.empty()) continue;
    target += sign + percent_encoded(name) + '=' + percent_encoded(text);
    sign = '&';
  }
  return target;
}

/// The operation of the server's table. Asking for one that is not there is a fault of this program.
const Operation& named(std::string_view operation) {
  const Operation* found = find_operation(operation);
  if (found == nullptr) {
    std::fprintf(stderr, "town: no operation \"%.*s\"\n", static_cast<int>(operation.size()), operation.data());
    std::abort();
  }
  return *found;
}

/// `path` with each `:name` replaced; none when a value is missing or one is left over.
std::optional<std::string> filled(std::string_view path, const Client::Path& values) {
  std::string target;
  std::size_t used = 0;
  while (!path.empty()) {
    const auto start = path.find("/:");
    if (start == std::string_view::npos) break;
    const auto end = std::min(path.find('/', start + 1), path.size());
    const std::string_view wanted = path.substr(start + 2, end - start - 2);
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == wanted; });
    if (value == values.end()) return std::nullopt;
    target.append(path.substr(0, start + 1)).append(percent_encoded(value->second));
    path.remove_prefix(end);
    ++used;
  }
  if (used != values.size()) return std::nullopt;
  return target.append(path);
}

/// Of an operation's paths the one that takes just these values: with a rig where a rig is given.
std::string target_of(const Operation& operation, const Client::Path& values) {
  for (const std::string& path : operation.paths)
    if (auto target = filled(path, values)) return *target;
  return operation.paths.front();
}

Error::Code code_of(int status) {
  switch (status) {
    case 400:
    case 405:
    case 415:
    case 422: return Error::Code::invalid;
    case 404: return Error::Code::not_found;
    case 409: return Error::Code::conflict;
    case 401:
    case 403:
    case 421: return Error::Code::forbidden;
    case 413: return Error::Code::too_large;
    case 429: return Error::Code::too_many;
    case 503: return Error::Code::unavailable;
    default: return Error::Code::internal;
  }
}

/// What the daemon said, for people at a terminal: nothing of requests, their fields and headers.
Error refused(const Reply& reply) {
  Error error{code_of(reply.status), "the daemon answered " + std::to_string(reply.status), {}};
  const auto answer = parse_json(reply.body);
  if (!answer) return error;
  if (const std::string told = text_of(*answer, "error"); !told.empty()) error.what = told;
  error.hint = text_of(*answer, "hint");
  if (const json::array& issues = list_of(*answer, "issues"); !issues.empty()) {
    error.what.clear();
    error.hint.clear();
    for (const json::value& issue : issues) {
      const std::string path = text_of(issue, "path");
      if (!error.what.empty()) error.what += "\n";
      error.what += (path.starts_with('/') ? path.substr(1) + ": " : "") + text_of(issue, "message");
    }
  }
  // It can be reached, and says that it cannot do this.
  if (reply.status == 503 && error.what.starts_with("store_failed")) error.code = Error::Code::internal;
  if (reply.status == 401) error.hint = "Use the daemon's socket (leave out --url), or give a valid --token.";
  const bool no_route = reply.status == 405 || (reply.status == 404 && error.what.starts_with("there is nothing at /"));
  if (no_route)
    error = {Error::Code::not_found, "the daemon knows nothing of that", "Are town and townd of the same version?"};
  return error;
}

/// Cuts a server-sent event stream into events as the bytes come.
class EventCutter {
 public:
  explicit EventCutter(const std::function<bool(const StreamEvent&)>& take) : take_(take) {}

  bool feed(std::string_view bytes) {
    rest_.append(bytes);
    std::size_t end = 0;
    while ((end = rest_.find('\n')) != std::string::npos) {
      std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      if (!on_line(line)) return false;
    }
    return true;
  }

 private:
  bool on_line(std::string_view line) {
    if (line.empty()) {
      const bool something = !event_.data.empty() || !event_.kind.empty();
      const bool go_on = !something || take_(event_);
      event_.kind.clear();
      event_.data.clear();
      return go_on;
    }
    const auto colon = line.find(':');
    if (colon == 0) return true;  // a comment: the server keeps the connection open
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "id") event_.id = value;
    if (name == "event") event_.kind = value;
    if (name == "data") event_.data += (event_.data.empty() ? "" : "\n") + std::string(value);
    return true;
  }

  const std::function<bool(const StreamEvent&)>& take_;
  std::string rest_;
  StreamEvent event_;
};

}  // namespace

Client::Client(Place place) : place_(std::move(place)), transport_(place_.address) {}

expected<json::value> Client::call(std::string_view operation, const Path& path, json::object fields) {
  const Operation& known = named(operation);
  for (const auto& [name, value] : path)
    if (value.empty() || value == "." || value == "..")
      return fail(Error::Code::invalid,
                  value.empty() ? "the " + std::string(name) + " is empty" : value + " is no name",
                  "was a variable not set?");
  std::string target = target_of(known, path);
  const bool reads = known.query();
  if (reads) target = with_query(std::move(target), fields);
  const std::string body = reads ? std::string() : json::serialize(fields);
  const std::string key = reads ? std::string() : random_key();
  if (!reads && !parse_json(body))
    return fail(Error::Code::invalid, "what was given is not text in UTF-8",
                "see how your terminal or file is encoded");

  const auto until = std::chrono::steady_clock::now() + (place_.agent ? kAgentWaits : std::chrono::seconds(0));
  for (;;) {
    const auto reply = transport_.send(known.method, target, body, key);
    const bool absent = !reply || reply->status == 503;
    if (absent && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(kAgentTriesEvery);
      continue;
    }
    if (!reply) return tl::unexpected(reply.error());
    if (reply->status < 200 || reply->status > 299) return tl::unexpected(refused(*reply));
    if (reply->body.empty()) return json::value(nullptr);
    auto answer = parse_json(reply->body);
    if (!answer)
      return fail(Error::Code::internal, "the daemon's answer cannot be read: " + answer.error().what,
                  "Are town and townd of the same version? See: town version");
    if (const auto* object = answer->if_object(); object != nullptr && object->contains("success"))
      return member_of(*answer, "data");
    return *answer;
  }
}

expected<std::string> Client::fetch(std::string_view operation, const Path& path, const json::object& query) {
  const Operation& known = named(operation);
  const auto reply = transport_.send(known.method, with_query(target_of(known, path), query), {}, {});
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return tl::unexpected(refused(*reply));
  return reply->body;
}

expected<void> Client::follow(std::string_view operation, const Path& path, json::object query,
                              const std::function<bool(const StreamEvent&)>& take, const std::string& last_event_id,
                              const Meanwhile& meanwhile) {
  Transport stream(place_.address);  // its own connection: `take` may call the daemon
  EventCutter cutter(take);
  std::vector<std::string> headers{"Accept: text/event-stream"};
  if (!last_event_id.empty()) headers.push_back("Last-Event-ID: " + last_event_id);
  const auto reply = stream.follow(
      with_query(target_of(named(operation), path), query), headers,
      [&](std::string_view bytes) { return cutter.feed(bytes); }, meanwhile);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return tl::unexpected(refused(*reply));
  return {};
}

expected<void> Client::follow_text(std::string_view operation, const Path& path, json::object query,
                                   const std::function<bool(std::string_view)>& take) {
  Transport stream(place_.address);
  const auto reply = stream.follow(with_query(target_of(named(operation), path), query), {}, take);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status != 200) return tl::unexpected(refused(*reply));
  return {};
}

}  // namespace townd::cli
