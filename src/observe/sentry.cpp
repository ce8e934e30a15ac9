#include "observe/sentry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "codec/fields.hpp"
#include "codec/utf8.hpp"

namespace townd {
namespace {

constexpr std::size_t kKeyLength = 128;
constexpr std::size_t kTagLength = 190;   ///< bytes; 200 characters are allowed
constexpr double kLongestLimit = 86'400;  ///< seconds; a limit beyond a day is asked about again after a day

bool word(std::string_view text) {
  return !text.empty() && text.size() <= kKeyLength && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Sentry drops a tag whose value is longer or has several lines.
std::string tag(std::string value) {
  value = value.substr(0, kTagLength);
  std::replace(value.begin(), value.end(), '\n', ' ');
  return valid_utf8(value);
}

json::object event_of(const Alert& alert, std::string_view version) {
  json::object tags{{"kind", tag(alert.kind)}};
  if (!alert.town.empty()) tags["town"] = tag(alert.town);
  if (alert.invariant != 0) tags["invariant"] = std::to_string(alert.invariant);
  json::object extra{{"message", alert.message}, {"rule", alert.rule}, {"tick", alert.tick}};
  if (!alert.subject.empty()) extra["subject"] = alert.subject;
  if (!alert.bundle.empty()) extra["bundle"] = alert.bundle;
  if (alert.count > 1) extra["count"] = alert.count;
  json::array marks;
  for (const std::string& mark : fingerprint(alert)) marks.emplace_back(mark);
  const std::string title = alert.invariant != 0
                                ? "Invariant " + std::to_string(alert.invariant) + " violated: " + alert.message
                                : alert.kind + ": " + alert.message;
  return {{"event_id", alert.id},
          {"timestamp", to_text(alert.at)},
          {"platform", "native"},
          {"level", enum_name(alert.level)},
          {"logger", "townd"},
          {"release", "townd@" + std::string(version)},
          {"server_name", alert.node},
          {"tags", std::move(tags)},
          {"extra", std::move(extra)},
          {"fingerprint", std::move(marks)},
          {"logentry", {{"formatted", title}}},
          {"sdk", {{"name", "townd"}, {"version", version}}}};
}

/// Up to the separator, which goes too.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// Whether events such as ours are meant: those without an exception have been counted as `default` and as `error`.
bool names_errors(std::string_view categories) {
  if (categories.empty()) return true;
  while (!categories.empty()) {
    const std::string_view category = next_part(categories, ';');
    if (category == "error" || category == "default") return true;
  }
  return false;
}

}  // namespace

std::string Dsn::envelope_url() const { return at.url(prefix + "/api/" + project + "/envelope/"); }

std::string Dsn::text() const {
  const std::string url = at.url(prefix + "/" + project);
  const std::size_t host = url.find("://") + 3;
  return url.substr(0, host) + key + "@" + url.substr(host);
}

expected<Dsn> read_dsn(std::string_view text) {
  auto address = read_web_address(text);
  if (!address) return tl::unexpected(address.error());
  Dsn dsn;
  dsn.key = address->user;
  dsn.secret = address->password;
  std::string_view path = address->path;
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) {
    dsn.prefix = path.substr(0, slash);
    dsn.project = path.substr(slash + 1);
  }
  dsn.at = std::move(*address);
  const auto wrong = [](const char* what) {
    return fail(Error::Code::invalid, std::string(what) + "; a DSN looks like https://KEY@HOST/PROJECT");
  };
  if (!word(dsn.key)) return wrong("it has no public key of letters and digits before @");
  if (!dsn.secret.empty() && !word(dsn.secret)) return wrong("its secret key is not of letters and digits");
  if (dsn.project.empty() || dsn.project.find_first_not_of("0123456789") != std::string::npos)
    return wrong("it has no project number at its end");
  if (!dsn.at.query.empty()) return wrong("it has a part after ?");
  return dsn;
}

std::vector<std::string> sentry_headers(const Dsn& dsn, std::string_view version) {
  const std::string client = "townd/" + std::string(version);
  std::string auth = "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=" + client + ", sentry_key=" + dsn.key;
  if (!dsn.secret.empty()) auth += ", sentry_secret=" + dsn.secret;
  return {"Content-Type: application/x-sentry-envelope", "User-Agent: " + client, std::move(auth)};
}

std::string sentry_envelope(const Dsn& dsn, const Alert& alert, std::string_view version, Instant sent_at) {
  const std::string event = json::serialize(event_of(alert, version));
  const json::object envelope{{"event_id", alert.id}, {"sent_at", to_text(sent_at)}, {"dsn", dsn.text()}};
  const json::object item{{"type", "event"}, {"length", event.size()}, {"content_type", "application/json"}};
  return json::serialize(envelope) + "\n" + json::serialize(item) + "\n" + event + "\n";
}

Duration rate_limit(std::string_view header) {
  Duration longest{};
  while (!header.empty()) {
    std::string_view group = next_part(header, ',');
    while (group.starts_with(' ')) group.remove_prefix(1);
    const std::string_view time = next_part(group, ':');
    const std::string_view categories = next_part(group, ':');
    double number = 0;
    const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), number);
    if (error != std::errc{} || end != time.data() + time.size() || !(number > 0) || !names_errors(categories))
      continue;
    const Duration hold{static_cast<std::int64_t>(std::ceil(std::min(number, kLongestLimit) * 1000))};
    longest = std::max(longest, hold);
  }
  return longest;
}

}  // namespace townd
