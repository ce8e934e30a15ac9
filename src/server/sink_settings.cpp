#include "server/sink_settings.hpp"

#include <unistd.h>

#include <array>

#include "git/spawn.hpp"
#include "server/secrets.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

expected<void> read_sentry(const NodeSettings& node, const SettingsFile& place, SinkSettings& settings) {
  if (node.sentry.dsn.empty()) return {};
  const auto text = read_secret(place, "sentry.dsn", node.sentry.dsn);
  if (!text) return tl::unexpected(text.error());
  auto dsn = read_dsn(*text);
  if (!dsn) return place.wrong("sentry.dsn", dsn.error().what);
  settings.sentry = std::move(*dsn);
  return {};
}

expected<void> read_webhook(const NodeSettings& node, const SettingsFile& place, SinkSettings& settings) {
  const bool url = !node.webhook.url.empty(), key = !node.webhook.secret.empty();
  if (!url && !key) return {};
  if (!key) return place.wrong("webhook.url", "its posts are signed, so webhook.secret is needed too");
  if (!url) return place.wrong("webhook.secret", "there is no webhook.url to go with it");
  const auto where = read_secret(place, "webhook.url", node.webhook.url);
  if (!where) return tl::unexpected(where.error());
  auto word = read_secret(place, "webhook.secret", node.webhook.secret);
  if (!word) return tl::unexpected(word.error());
  auto address = read_web_address(*where);
  if (!address) return place.wrong("webhook.url", address.error().what);
  if (!address->user.empty() || !address->password.empty())
    return place.wrong("webhook.url", "it may hold no user name and password; webhook.secret signs what is sent");
  settings.webhook = Webhook{std::move(*address), std::move(*word)};
  return {};
}

expected<void> read_command(const NodeSettings& node, const SettingsFile& place, SinkSettings& settings) {
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
  const SettingsFile place(node, file);
  const EventSettings& events = node.events;
  if (events.url.empty() && events.header.empty()) return std::nullopt;
  if (events.url.empty()) return place.wrong("events.header", "there is no events.url to go with it");
  const auto where = read_secret(place, "events.url", events.url);
  if (!where) return tl::unexpected(where.error());
  auto header = read_secret(place, "events.header", events.header);
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
  const SettingsFile place(node, file);
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
