#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.hpp"
#include "codec/json.hpp"
#include "core/expected.hpp"
#include "core/rows.hpp"
#include "ports/runtime.hpp"

namespace townd {

struct ServerSettings {
  std::string listen = "127.0.0.1:7777";
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::string tls_cert;
  std::string tls_key;
  bool behind_proxy = false;
};

struct StoreSettings {
  std::string url;
};

struct LogSettings {
  std::string level = "info";
};

struct MetricsSettings {
  int towns = 50;
};

struct GitHubSettings {
  std::string host = "github.com";
  std::string token;
  std::string app_id;
  std::string app_key;
  std::string app_installation;
  std::string webhook_secret;
  std::vector<std::string> bots;

  [[nodiscard]] bool set_up() const { return !token.empty() || !app_id.empty(); }
};

/// A host of pull requests to which a token is enough.
struct TokenHostSettings {
  std::string host;
  std::string token;
  std::string webhook_secret;
  std::vector<std::string> bots;

  [[nodiscard]] bool set_up() const { return !token.empty(); }
};

struct SentrySettings {
  std::string dsn;
};

struct WebhookSettings {
  std::string url;
  std::string secret;
};

struct AlertSettings {
  std::vector<std::string> command;
  std::string quiet;
  Duration repeat = hours(1);
};

/// A number of bytes; in text `4GiB`, `64MiB`, `512KiB` or a bare number.
struct ByteCount {
  std::int64_t bytes = 0;
  friend bool operator==(const ByteCount&, const ByteCount&) = default;
};

struct EventSettings {
  std::string file;
  std::string url;
  std::string header;
  ByteCount rotate{64LL << 20};
  int keep = 5;
};

struct UpgradeSettings {
  std::string verify = "report";
};

struct LimitSettings {
  int max_agents = 0;
  int pending_events = 10'000;
  ByteCount memory{Limits{}.memory_bytes};
  int processes = Limits{}.processes;
  Duration wall = Limits{}.wall;
  ByteCount log{Limits{}.log_bytes};
};

/// `townd.toml`: the node's settings. `said` holds the dotted keys that the file has, and their lines.
struct NodeSettings {
  ServerSettings server;
  StoreSettings store;
  LogSettings log;
  MetricsSettings metrics;
  EventSettings events;
  UpgradeSettings upgrade;
  LimitSettings limits;
  TownConfig town;  ///< what a new town begins with, its constants from `[reconciler]`
  GitHubSettings github;
  TokenHostSettings gitlab{"gitlab.com", {}, {}, {}};
  TokenHostSettings gitea{"codeberg.org", {}, {}, {}};
  SentrySettings sentry;
  WebhookSettings webhook;
  AlertSettings alerts;
  std::map<std::string, int> said;

  [[nodiscard]] Limits run_limits() const;
  /// Whether it names a host of pull requests.
  [[nodiscard]] bool names_forge() const { return github.set_up() || gitlab.set_up() || gitea.set_up(); }
};

/// An error names file, line and, for an unknown key, the nearest known one.
expected<NodeSettings> read_node_settings(std::string_view toml, const std::string& file);

/// A town's settings as they are shown and set over HTTP: with `usd_per_day` in dollars.
json::object settings_json(const TownConfig& config);
/// Puts what `patch` says over `config`; false with an issue for an unknown key or a wrong value.
bool read_settings(JsonReader& reader, json::object patch, TownConfig& config);

/// `.town/town.toml`: what a repository says about itself. It can only lower the rig's limits.
struct RepositorySettings {
  std::optional<std::vector<std::string>> gates;
  std::optional<std::string> setup;
  std::optional<std::vector<std::string>> copy;
  std::optional<std::string> target;
  std::optional<Strategy> strategy;
  std::optional<int> max_polecats;
  std::optional<int> max_dispatch_attempts;
};
expected<RepositorySettings> read_repository_settings(std::string_view toml, const std::string& file);
/// The rig's own settings with the repository's over them; limits stay at or below the rig's, else the town's.
RigConfig with_repository(RigConfig rig, const RepositorySettings& repository, const TownConfig& town);

/// One line of `town config` and of docs/config.md.
struct ConfigKey {
  std::string key;    ///< `reconciler.lost_agent`
  std::string value;  ///< in TOML
  std::string default_value;
  bool from_file = false;
  std::string meaning;
};
/// Every key of `townd.toml`, in the order of the file. Of a secret only the last 4 characters, unless it is a
/// reference
/// (`env:NAME`, `file:PATH`).
std::vector<ConfigKey> config_keys(const NodeSettings& settings);

}  // namespace townd
