#include "server/sink_settings.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "git/spawn.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFromEnvironment = "env:";
constexpr std::string_view kFromFile = "file:";
constexpr std::size_t kSecretLength = 4096;

/// What is wrong with a key, as the file's other errors are told.
class Place {
 public:
  Place(const NodeSettings& node, std::string file) : node_(node), file_(std::move(file)) {}

  [[nodiscard]] tl::unexpected<Error> wrong(const std::string& key, const std::string& what) const {
    const auto line = node_.said.find(key);
    const bool known = line != node_.said.end() && line->second > 0;
    return fail(Error::Code::invalid,
                file_ + (known ? ":" + std::to_string(line->second) : "") + ": " + key + ": " + what,
                "correct the file; `town config` lists every key");
  }
  [[nodiscard]] std::string beside(const std::string& path) const {
    return (fs::absolute(file_).parent_path() / path).lexically_normal().string();
  }

 private:
  const NodeSettings& node_;
  const std::string file_;
};

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

/// The text itself, or what it refers to.
expected<std::string> secret(const Place& place, const std::string& key, const std::string& text) {
  if (text.starts_with(kFromEnvironment)) {
    const std::string name = text.substr(kFromEnvironment.size());
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return place.wrong(key, "there is no " + name + " in the environment");
    return std::string(value);
  }
  if (!text.starts_with(kFromFile)) return text;
  const std::string path = place.beside(text.substr(kFromFile.size()));
  std::error_code problem;
  if (fs::exists(path, problem) && !fs::is_regular_file(path, problem))
    return place.wrong(key, "cannot read " + path + ": it is no plain file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return place.wrong(key, "cannot read " + path + ": " + std::strerror(errno));
  std::string bytes(kSecretLength + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kSecretLength) return place.wrong(key, path + " is longer than 4 KiB");
  bytes = without_line_end(std::move(bytes));
  if (bytes.empty()) return place.wrong(key, path + " is empty");
  return bytes;
}

expected<void> read_sentry(const NodeSettings& node, const Place& place, SinkSettings& settings) {
  if (node.sentry.dsn.empty()) return {};
  const auto text = secret(place, "sentry.dsn", node.sentry.dsn);
  if (!text) return tl::unexpected(text.error());
  auto dsn = read_dsn(*text);
  if (!dsn) return place.wrong("sentry.dsn", dsn.error().what);
  settings.sentry = std::move(*dsn);
  return {};
}

expected<void> read_webhook(const NodeSettings& node, const Place& place, SinkSettings& settings) {
  const bool url = !node.webhook.url.empty(), key = !node.webhook.secret.empty();
  if (!url && !key) return {};
  if (!key) return place.wrong("webhook.url", "its posts are signed, so webhook.secret is needed too");
  if (!url) return place.wrong("webhook.secret", "there is no webhook.url to go with it");
  const auto where = secret(place, "webhook.url", node.webhook.url);
  if (!where) return tl::unexpected(where.error());
  auto word = secret(place, "webhook.secret", node.webhook.secret);
  if (!word) return tl::unexpected(word.error());
  auto address = read_web_address(*where);
  if (!address) return place.wrong("webhook.url", address.error().what);
  if (!address->user.empty() || !address->password.empty())
    return place.wrong("webhook.url", "it may hold no user name and password; webhook.secret signs what is sent");
  settings.webhook = Webhook{std::move(*address), std::move(*word)};
  return {};
}

expected<void> read_command(const NodeSettings& node, const Place& place, SinkSettings& settings) {
  if (node.alerts.command.empty()) return {};
  settings.command = node.alerts.command;
  std::string& program = settings.command.front();
  if (program.find('/') != std::string::npos) program = place.beside(program);
  if (find_program(program, own_path()).empty())
    return place.wrong("alerts.command", "there is no program \"" + program + "\"");
  return {};
}

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "unknown";
}

/// `Name: value` on one line.
bool is_header(const std::string& text) {
  const std::size_t colon = text.find(':');
  return colon != 0 && colon != std::string::npos && text.find_first_of("\r\n") == std::string::npos &&
         text.find_first_of(" \t") > colon;
}

}  // namespace

expected<std::optional<EventPost::Options>> event_collector(const NodeSettings& node, const std::string& file) {
  const Place place(node, file);
  const EventSettings& events = node.events;
  if (events.url.empty() && events.header.empty()) return std::nullopt;
  if (events.url.empty()) return place.wrong("events.header", "there is no events.url to go with it");
  const auto where = secret(place, "events.url", events.url);
  if (!where) return tl::unexpected(where.error());
  auto header = secret(place, "events.header", events.header);
  if (!header) return tl::unexpected(header.error());
  if (!header->empty() && !is_header(*header)) return place.wrong("events.header", "it is not of the form Name: value");
  auto address = read_web_address(*where);
  if (!address) return place.wrong("events.url", address.error().what);
  if (!address->user.empty() || !address->password.empty())
    return place.wrong("events.url", "it may hold no user name and password; events.header can say who sends");
  EventPost::Options options;
  options.to = std::move(*address);
  options.header = std::move(*header);
  return options;
}

expected<SinkSettings> sink_settings(const NodeSettings& node, const std::string& file) {
  const Place place(node, file);
  SinkSettings settings;
  settings.repeat = node.alerts.repeat;
  settings.version = kVersion;
  settings.node = machine_name();
  for (const auto read : {read_sentry, read_webhook, read_command})
    if (const auto done = read(node, place, settings); !done) return tl::unexpected(done.error());
  if (!node.alerts.quiet.empty()) {
    const auto quiet = read_quiet_hours(node.alerts.quiet);
    if (!quiet) return place.wrong("alerts.quiet", quiet.error().what);
    settings.quiet = *quiet;
  }
  return settings;
}

}  // namespace townd
