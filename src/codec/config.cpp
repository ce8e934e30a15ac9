#include "codec/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codec/config_meanings.hpp"
#include "codec/describe_rows.hpp"
#include "codec/toml.hpp"
#include "core/budget.hpp"

namespace townd {

BOOST_DESCRIBE_STRUCT(ServerSettings, (), (listen, hosts, origins, tls_cert, tls_key, behind_proxy))
BOOST_DESCRIBE_STRUCT(StoreSettings, (), (url))
BOOST_DESCRIBE_STRUCT(LogSettings, (), (level))
BOOST_DESCRIBE_STRUCT(MetricsSettings, (), (towns))
BOOST_DESCRIBE_STRUCT(EventSettings, (), (file, url, header, rotate, keep))
BOOST_DESCRIBE_STRUCT(UpgradeSettings, (), (verify))
BOOST_DESCRIBE_STRUCT(LimitSettings, (), (max_agents, pending_events, memory, processes, wall, log))
BOOST_DESCRIBE_STRUCT(GitHubSettings, (), (host, token, app_id, app_key, app_installation, webhook_secret, bots))
BOOST_DESCRIBE_STRUCT(TokenHostSettings, (), (host, token, webhook_secret, bots))
BOOST_DESCRIBE_STRUCT(SentrySettings, (), (dsn))
BOOST_DESCRIBE_STRUCT(WebhookSettings, (), (url, secret))
BOOST_DESCRIBE_STRUCT(AlertSettings, (), (command, quiet, repeat))
BOOST_DESCRIBE_STRUCT(RepositorySettings, (),
                      (gates, setup, copy, target, strategy, max_polecats, max_dispatch_attempts))

template <>
struct JsonForm<ByteCount> {
  static json::value write(const JsonWriter& writer, const ByteCount& count);
  static bool read(JsonReader& reader, const json::value& v, ByteCount& out);
};

namespace {

struct Unit {
  std::string_view name;
  int shift;
};
constexpr std::array<Unit, 4> kUnits{{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

std::optional<ByteCount> bytes_from_text(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.empty()) return ByteCount{number};
  for (const Unit& unit : kUnits)
    if (unit.name == rest && number <= (std::int64_t{1} << (62 - unit.shift))) return ByteCount{number << unit.shift};
  return std::nullopt;
}

// ---- [town] ----

bool in_town_section(std::string_view member) {
  return member != "version" && member != "constants" && member != "micro_usd_per_day";
}

std::vector<std::string_view> town_keys() {
  std::vector<std::string_view> keys;
  for (const std::string_view name : JsonReader::keys_of<TownConfig>())
    if (in_town_section(name)) keys.push_back(name);
  keys.push_back(kUsdPerDay);
  return keys;
}

bool read_usd(JsonReader& reader, const json::value& v, TownConfig& out) {
  json::error_code error;
  const double usd = v.to_number<double>(error);
  if (error || !(usd >= 0 && usd <= kMostUsd)) return reader.wrong("expected an amount in dollars");
  out.micro_usd_per_day = std::llround(usd * static_cast<double>(kMicroUsd));
  return true;
}

bool read_town(JsonReader& reader, const json::value& v, TownConfig& out) {
  const json::object* object = v.if_object();
  if (!object) return reader.wrong("expected a table");
  for (const auto& [key, value] : *object) {
    if (key == kUsdPerDay) {
      if (!read_usd(reader, value, out)) return reader.at(key);
      continue;
    }
    bool known = false;
    if (in_town_section(key) && reader.read_member(key, value, out, known)) continue;
    return known ? false : reader.unknown_key(key, town_keys());
  }
  return true;
}

// ---- [reconciler] ----

/// What is looked at again and again, and would keep the machine busy if it were at once.
constexpr std::array<std::string_view, 4> kPeriods{"resync", "poll", "rig_check", "breaker_probe"};

struct Soundness {
  JsonReader& reader;

  bool operator()(std::string_view, int count) const { return count >= 0 || reader.wrong("it is at least 0"); }
  bool operator()(std::string_view key, Duration time) const {
    if (time.ms < 0) return reader.wrong("a length of time is not negative");
    const bool period = std::find(kPeriods.begin(), kPeriods.end(), key) != kPeriods.end();
    return !period || time.ms >= 1000 || reader.wrong("less than a second is too often");
  }
  bool operator()(std::string_view key, const std::vector<Duration>& times) const {
    if (times.empty()) return reader.wrong("at least one length of time is needed");
    return std::all_of(times.begin(), times.end(), [&](Duration time) { return (*this)(key, time); });
  }
};

bool check_constants(JsonReader& reader, const Constants& constants) {
  using Members = boost::describe::describe_members<Constants, boost::describe::mod_public>;
  bool sound = true;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    if (sound && !Soundness{reader}(member.name, constants.*member.pointer)) sound = reader.at(member.name);
  });
  return sound;
}

json::object write_town(const JsonWriter& writer, const TownConfig& config) {
  json::object object = writer.write_members(config, {"version", "constants", "micro_usd_per_day"});
  object.emplace(kUsdPerDay, nullptr);
  if (config.micro_usd_per_day)
    object[kUsdPerDay] = static_cast<double>(*config.micro_usd_per_day) / static_cast<double>(kMicroUsd);
  return object;
}

}  // namespace

json::object settings_json(const TownConfig& config) {
  json::object shape = to_json(config).as_object();
  shape[kUsdPerDay] = write_town(JsonWriter(Blanks::null), config).at(kUsdPerDay);
  return shape;
}

bool read_settings(JsonReader& reader, json::object patch, TownConfig& config) {
  if (const json::value* usd = patch.if_contains(kUsdPerDay)) {
    if (usd->is_null())
      config.micro_usd_per_day.reset();
    else if (!read_usd(reader, *usd, config))
      return reader.at(kUsdPerDay);
    patch.erase(kUsdPerDay);
  }
  if (!reader.read(json::value(std::move(patch)), config)) return false;
  if (config.max_polecats < 1) return reader.wrong("it is at least 1") || reader.at("max_polecats");
  if (config.runs_per_day < 1) return reader.wrong("it is at least 1") || reader.at("runs_per_day");
  return check_constants(reader, config.constants) || reader.at("reconciler");
}

namespace {

// ---- the whole ----

constexpr std::array<std::string_view, 15> kSections{"server",  "store",  "log",    "metrics",    "events",
                                                     "upgrade", "limits", "town",   "reconciler", "github",
                                                     "gitlab",  "gitea",  "sentry", "webhook",    "alerts"};

bool read_section(JsonReader& reader, std::string_view section, const json::value& v, NodeSettings& out) {
  if (section == "server") return reader.read(v, out.server);
  if (section == "store") return reader.read(v, out.store);
  if (section == "log") return reader.read(v, out.log);
  if (section == "metrics") return reader.read(v, out.metrics);
  if (section == "events") return reader.read(v, out.events);
  if (section == "upgrade") return reader.read(v, out.upgrade);
  if (section == "limits") return reader.read(v, out.limits);
  if (section == "town") return read_town(reader, v, out.town);
  if (section == "github") return reader.read(v, out.github);
  if (section == "gitlab") return reader.read(v, out.gitlab);
  if (section == "gitea") return reader.read(v, out.gitea);
  if (section == "sentry") return reader.read(v, out.sentry);
  if (section == "webhook") return reader.read(v, out.webhook);
  if (section == "alerts") return reader.read(v, out.alerts);
  return reader.read_members(v, out.town.constants);
}

json::object write_settings(const NodeSettings& settings) {
  const JsonWriter writer(Blanks::keep);
  json::object all;
  all.emplace("server", writer.write(settings.server));
  all.emplace("store", writer.write(settings.store));
  all.emplace("log", writer.write(settings.log));
  all.emplace("metrics", writer.write(settings.metrics));
  all.emplace("events", writer.write(settings.events));
  all.emplace("upgrade", writer.write(settings.upgrade));
  all.emplace("limits", writer.write(settings.limits));
  all.emplace("town", write_town(writer, settings.town));
  all.emplace("reconciler", writer.write_members(settings.town.constants));
  all.emplace("github", writer.write(settings.github));
  all.emplace("gitlab", writer.write(settings.gitlab));
  all.emplace("gitea", writer.write(settings.gitea));
  all.emplace("sentry", writer.write(settings.sentry));
  all.emplace("webhook", writer.write(settings.webhook));
  all.emplace("alerts", writer.write(settings.alerts));
  return all;
}

constexpr std::array<std::string_view, 5> kLogLevels{"debug", "info", "warn", "error", "off"};
constexpr int kMostTownLabels = 1'000;  ///< some 450 series each: what a Prometheus of ordinary size still takes
constexpr std::int64_t kLeastRotate = 1 << 20;
constexpr int kMostEventFiles = 1'000;
constexpr std::array<std::string_view, 3> kVerify{"report", "refuse", "off"};

/// What no single key can say about itself.
bool check(JsonReader& reader, const NodeSettings& settings) {
  const std::string& level = settings.log.level;
  if (std::find(kLogLevels.begin(), kLogLevels.end(), level) == kLogLevels.end())
    return reader.wrong("\"" + level + "\" is none of debug, info, warn, error, off") || reader.at("level") ||
           reader.at("log");
  const std::string& verify = settings.upgrade.verify;
  if (std::find(kVerify.begin(), kVerify.end(), verify) == kVerify.end())
    return reader.wrong("\"" + verify + "\" is none of report, refuse, off") || reader.at("verify") ||
           reader.at("upgrade");
  if (settings.metrics.towns < 0 || settings.metrics.towns > kMostTownLabels)
    return reader.wrong("it is 0 to " + std::to_string(kMostTownLabels)) || reader.at("towns") || reader.at("metrics");
  if (settings.events.rotate.bytes < kLeastRotate)
    return reader.wrong("less than 1MiB is too little") || reader.at("rotate") || reader.at("events");
  if (settings.events.keep < 0 || settings.events.keep > kMostEventFiles)
    return reader.wrong("it is 0 to " + std::to_string(kMostEventFiles)) || reader.at("keep") || reader.at("events");
  if (settings.alerts.repeat.ms < 0)
    return reader.wrong("a length of time is not negative") || reader.at("repeat") || reader.at("alerts");
  return check_constants(reader, settings.town.constants) || reader.at("reconciler");
}

// ---- secrets ----

/// A webhook's address is one too: of many services it is all that is needed to write there.
constexpr std::array<std::string_view, 12> kSecrets{"github.token",
                                                    "github.app_key",
                                                    "github.webhook_secret",
                                                    "gitlab.token",
                                                    "gitlab.webhook_secret",
                                                    "gitea.token",
                                                    "gitea.webhook_secret",
                                                    "sentry.dsn",
                                                    "webhook.url",
                                                    "webhook.secret",
                                                    "events.url",
                                                    "events.header"};
constexpr std::size_t kShownOfSecret = 4;
constexpr std::size_t kLongEnough = 12;  ///< a shorter secret would be given away by a part of it

json::value masked(std::string_view key, const json::value& value) {
  const bool secret = std::find(kSecrets.begin(), kSecrets.end(), key) != kSecrets.end();
  if (!secret || !value.is_string()) return value;
  const std::string_view text = value.get_string();
  if (text.empty() || text.starts_with("env:") || text.starts_with("file:")) return value;
  const std::size_t shown = text.size() < kLongEnough ? 0 : kShownOfSecret;
  return json::value("****" + std::string(text.substr(text.size() - shown)));
}

/// As TOML writes it; nothing for what is not set.
std::string toml_text(const json::value& v) {
  if (v.is_null()) return "";
  if (v.is_double()) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), v.get_double()).ptr;
    return std::string(text.data(), end);
  }
  if (const json::array* list = v.if_array()) {
    std::string text = "[";
    for (const json::value& element : *list) {
      if (text.size() > 1) text += ", ";
      text += toml_text(element);
    }
    return text + "]";
  }
  return json::serialize(v);
}

}  // namespace

json::value JsonForm<ByteCount>::write(const JsonWriter&, const ByteCount& count) {
  for (const Unit& unit : kUnits) {
    const std::int64_t whole = count.bytes >> unit.shift;
    if (whole > 0 && whole << unit.shift == count.bytes)
      return json::value(std::to_string(whole) + std::string(unit.name));
  }
  return count.bytes;
}

bool JsonForm<ByteCount>::read(JsonReader& reader, const json::value& v, ByteCount& out) {
  std::optional<ByteCount> count;
  if (const json::string* text = v.if_string()) count = bytes_from_text(*text);
  if (const std::int64_t* number = v.if_int64(); number && *number >= 0) count = ByteCount{*number};
  if (!count) return reader.wrong("expected a number of bytes such as 4GiB, got " + json::serialize(v));
  out = *count;
  return true;
}

Limits NodeSettings::run_limits() const {
  return {limits.memory.bytes, limits.processes, limits.wall, limits.log.bytes};
}

expected<NodeSettings> read_node_settings(std::string_view toml, const std::string& file) {
  const auto document = parse_toml(toml, file);
  if (!document) return tl::unexpected(document.error());
  NodeSettings settings;
  JsonReader reader;
  for (const auto& [section, keys] : document->value.get_object()) {
    if (std::find(kSections.begin(), kSections.end(), std::string_view(section)) == kSections.end())
      reader.unknown_key(section, kSections);
    else if (!read_section(reader, section, keys, settings))
      reader.at(section);
    if (!reader.issue.message.empty()) return tl::unexpected(document->error(reader.issue));
    for (const auto& member : keys.get_object())
      settings.said.emplace(std::string(section) + "." + std::string(member.key()),
                            document->line("/" + std::string(section) + "/" + std::string(member.key())));
  }
  if (!check(reader, settings)) return tl::unexpected(document->error(reader.issue));
  return settings;
}

expected<RepositorySettings> read_repository_settings(std::string_view toml, const std::string& file) {
  const auto document = parse_toml(toml, file);
  if (!document) return tl::unexpected(document.error());
  RepositorySettings settings;
  JsonReader reader;
  if (!reader.read(document->value, settings)) return tl::unexpected(document->error(reader.issue));
  return settings;
}

RigConfig with_repository(RigConfig rig, const RepositorySettings& repository, const TownConfig& town) {
  const auto lower = [](std::optional<int>& ours, const std::optional<int>& theirs, int otherwise) {
    if (theirs) ours = std::min(ours.value_or(otherwise), *theirs);
  };
  if (repository.gates) rig.gates = *repository.gates;
  if (repository.setup) rig.setup = *repository.setup;
  if (repository.copy) rig.copy = *repository.copy;
  if (repository.target) rig.target = *repository.target;
  if (repository.strategy) rig.merge_strategy = repository.strategy;
  lower(rig.max_polecats, repository.max_polecats, town.max_polecats);
  lower(rig.max_dispatch_attempts, repository.max_dispatch_attempts, town.constants.max_dispatch_attempts);
  return rig;
}

std::vector<ConfigKey> config_keys(const NodeSettings& settings) {
  const json::object now = write_settings(settings);
  const json::object defaults = write_settings(NodeSettings{});
  std::vector<ConfigKey> keys;
  for (const auto& [section, members] : now) {
    for (const auto& [name, value] : members.get_object()) {
      ConfigKey key;
      key.key = std::string(section) + "." + std::string(name);
      key.value = toml_text(masked(key.key, value));
      key.default_value = toml_text(defaults.at(section).at(name));
      key.from_file = settings.said.contains(key.key);
      key.meaning = config_meaning(key.key);
      keys.push_back(std::move(key));
    }
  }
  return keys;
}

}  // namespace townd
