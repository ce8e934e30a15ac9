#include "server/daemon.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "codec/config.hpp"
#include "engine/driver.hpp"
#include "forge/local.hpp"
#include "observe/alert_sinks.hpp"
#include "observe/crash_note.hpp"
#include "observe/event_file.hpp"
#include "observe/event_post.hpp"
#include "observe/lifecycle.hpp"
#include "observe/log_observer.hpp"
#include "observe/metrics.hpp"
#include "observe/observers.hpp"
#include "runtime/local.hpp"
#include "runtime/machine.hpp"
#include "server/api.hpp"
#include "server/diff.hpp"
#include "server/find.hpp"
#include "server/forge_settings.hpp"
#include "server/http_server.hpp"
#include "server/incidents.hpp"
#include "server/listen_address.hpp"
#include "server/live_hub.hpp"
#include "server/log_tails.hpp"
#include "server/operations.hpp"
#include "server/read_towns.hpp"
#include "server/sink_settings.hpp"
#include "server/stream_seats.hpp"
#include "server/upgrade.hpp"
#include "server/version.hpp"
#include "server/webhooks.hpp"
#include "server/workers.hpp"
#include "store/sqlite_store.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr int kWorkers = 4;
constexpr const char* kAgentSocket = "/door/agent.sock";  ///< in the data folder

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    using std::chrono::milliseconds;
    return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
};

std::string config_file(const DaemonOptions& options) {
  return options.config.empty() ? options.data + "/townd.toml" : options.config;
}

expected<NodeSettings> read_file(const DaemonOptions& options) {
  const std::string path = config_file(options);
  std::error_code ignored;
  if (options.config.empty() && !fs::exists(path, ignored)) return NodeSettings{};
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof())
    return fail(Error::Code::invalid, "cannot read the configuration " + path, "check the path after --config");
  auto node = read_node_settings(text, path);
  if (!node) return node;
  for (std::string* named : {&node->server.tls_cert, &node->server.tls_key})
    if (!named->empty()) *named = (fs::path(path).parent_path() / *named).string();
  return node;
}

/// The file's settings with what the command line says over them.
expected<NodeSettings> read_settings(const DaemonOptions& options) {
  auto node = read_file(options);
  if (!node) return node;
  ServerSettings& server = node->server;
  if (!options.listen.empty()) server.listen = options.listen;
  if (!options.tls_cert.empty()) server.tls_cert = options.tls_cert;
  if (!options.tls_key.empty()) server.tls_key = options.tls_key;
  server.behind_proxy = server.behind_proxy || options.behind_proxy;
  if (server.tls_cert.empty() != server.tls_key.empty())
    return fail(
        Error::Code::invalid,
        server.tls_key.empty() ? "there is a TLS certificate and no key" : "there is a TLS key and no certificate",
        "name both with --tls-cert and --tls-key, or tls_cert and tls_key in [server] of townd.toml");
  return node;
}

/// Where the prompts and presets are: beside the installed program, or in the source tree it was built from.
std::string share_folder(const fs::path& bin) {
  const fs::path installed = bin.parent_path() / "share" / "townd";
  std::error_code ignored;
  return fs::is_directory(installed / "presets", ignored) ? installed.string() : TOWND_SOURCE_SHARE;
}

LocalSettings runtime_settings(const std::string& data, const NodeSettings& node, const std::string& api_url) {
  std::error_code ignored;
  const fs::path bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  LocalSettings settings;
  settings.data = data;
  settings.bin = bin.string();
  settings.shim = (bin / "townd-shim").string();
  settings.preset_folders = {share_folder(bin) + "/presets", data + "/presets"};
  settings.prompts = share_folder(bin) + "/prompts";
  settings.agent_socket = data + kAgentSocket;
  settings.api_url = api_url;
  settings.max_agents = node.limits.max_agents;
  settings.heartbeat = node.town.constants.heartbeat;
  return settings;
}

MetricsOptions metrics_options(const NodeSettings& node) {
  MetricsOptions options;
  options.towns = node.metrics.towns;
  options.version = kVersion;
  for (const Operation& operation : operations()) options.operations.push_back(operation.name);
  return options;
}

EngineOptions engine_options(const NodeSettings& node, const NodeFacts& facts) {
  EngineOptions options;
  options.max_agents = facts.slots;
  options.pending_limit = node.limits.pending_events;
  options.run_limits = node.run_limits();
  return options;
}

}  // namespace

/// In the order in which they are made; taken down the other way round.
struct Daemon::Parts {
  explicit Parts(LogLevel level) : log(level) {}

  Log log;
  SystemClock clock;
  LogObserver log_observer{log};
  std::unique_ptr<Metrics> metrics;
  Observers observers;
  std::unique_ptr<EventFile> event_file;
  std::unique_ptr<EventPost> event_post;
  std::unique_ptr<Lifecycle> lifecycle;
  std::unique_ptr<AlertSinks> sinks;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<LocalRuntime> runtime;
  std::unique_ptr<LocalForge> forge;
  std::unique_ptr<Webhooks> webhooks;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<TokenBook> tokens;
  StreamSeats seats;
  LiveHub live{seats};
  std::unique_ptr<Workers> workers;
  std::unique_ptr<Incidents> incidents;
  UpgradeReport upgrade;
  std::unique_ptr<LogTails> tails;
  std::unique_ptr<Services> services;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> http;
  std::string listen_file;
  ListenAddress address;
  std::string url;  ///< where programs on this machine reach it

  expected<void> open(const DaemonOptions& options, const NodeSettings& node);
  expected<void> listen(const DaemonOptions& options, const ServerSettings& server);
  expected<void> refuse_if_otherwise(const std::string& data);
  expected<void> tell_events(const DaemonOptions& options, const NodeSettings& node);
  [[nodiscard]] Answer measured(Answer answer) const;
  [[nodiscard]] NodeReadings readings(const std::string& data) const;
  void report_what_differs(const std::string& data);
  void try_on_the_past(const std::string& data);
  void close();
};

expected<void> Daemon::Parts::open(const DaemonOptions& options, const NodeSettings& node) {
  const bool https = !node.server.tls_cert.empty() || node.server.behind_proxy;
  auto wanted = read_listen_address(node.server.listen, https);
  if (!wanted) return tl::unexpected(wanted.error());
  address = *wanted;
  if (!node.store.url.empty() && !node.store.url.starts_with("sqlite:"))
    return fail(Error::Code::invalid,
                "the store " + node.store.url.substr(0, node.store.url.find(':')) + ": is not known here",
                "leave store.url out to use SQLite in the data folder");

  auto wanted_sinks = sink_settings(node, config_file(options));
  if (!wanted_sinks) return tl::unexpected(wanted_sinks.error());
  auto wanted_hosts = forge_settings(node, config_file(options));
  if (!wanted_hosts) return tl::unexpected(wanted_hosts.error());

  metrics = std::make_unique<Metrics>(metrics_options(node), clock);
  SqliteOptions store_options;
  store_options.written = [this](std::size_t jobs, double seconds) { metrics->committed(jobs, seconds); };
  auto opened = SqliteStore::open(options.data, std::move(store_options));
  if (!opened) return tl::unexpected(opened.error());
  store = std::move(*opened);
  tokens = std::make_unique<TokenBook>(*store);
  if (auto read = tokens->reload(); !read) return read;
  if (auto made = tokens->ensure_admin(options.data, clock.now()); !made) return made;

  if (node.upgrade.verify == "refuse")
    if (auto alike = refuse_if_otherwise(options.data); !alike) return alike;

  // The port is taken before agents are taken up again: a daemon that cannot listen must not touch them.
  workers = std::make_unique<Workers>(kWorkers);
  incidents = std::make_unique<Incidents>(observers, *store, *workers, clock, options.data);
  observers.add(log_observer);
  observers.add(*metrics);
  observers.add(*incidents);
  if (auto told = tell_events(options, node); !told) return told;
  if (lifecycle) observers.add(*lifecycle);
  if (wanted_sinks->any()) {
    sinks = std::make_unique<AlertSinks>(std::move(*wanted_sinks), options.data, clock, log);
    observers.add(*sinks);
    sinks->start();
  }
  if (const auto crash = take_crash_note(crash_note_file(options.data))) observers.alarm(*crash);
  http = std::make_unique<HttpServer>([this](std::shared_ptr<const Request> request, Answer answer) {
    api->handle(std::move(request), measured(std::move(answer)));
  });
  if (auto listening = listen(options, node.server); !listening) return listening;

  auto git = git::Program::open(options.data + "/git");
  if (!git) return tl::unexpected(git.error());
  auto started = LocalRuntime::open(runtime_settings(options.data, node, url));
  if (!started) return tl::unexpected(started.error());
  runtime = std::move(*started);
  const NodeFacts facts = runtime->facts();
  std::vector<std::string> presets;
  for (const PresetState& preset : facts.presets) presets.push_back(preset.preset);
  for (const std::string& named : {node.town.polecat_preset, node.town.refinery_preset, node.town.mayor_preset})
    if (auto known = known_preset(presets, named); !known) {
      known.error().what += ", which [town] of townd.toml names";
      return known;
    }
  std::map<std::string, WebhookSender> senders;
  for (const HostSettings& host : *wanted_hosts)
    senders.emplace(name_of(host.kind), WebhookSender{proof_of(host.kind), host.webhook_secret});
  webhooks = std::make_unique<Webhooks>(std::move(senders));
  std::unique_ptr<Hosts> hosts;
  if (!wanted_hosts->empty())
    hosts = std::make_unique<Hosts>(*wanted_hosts, clock, [this](const TownId& town, const events::PrNoticed& noticed) {
      engine->submit(town, noticed, [](const expected<Receipt>&) {});
    });
  forge = std::make_unique<LocalForge>(*git, options.data, std::move(hosts));
  engine = std::make_unique<Engine>(Ports{*store, *runtime, *forge, observers, clock}, engine_options(node, facts));
  live.listen(*engine);
  driver = std::make_unique<Driver>(*engine, clock);
  if (auto loaded = engine->open(); !loaded) return loaded;
  driver->start();

  tails = std::make_unique<LogTails>(seats, *engine, *runtime);
  services = std::make_unique<Services>(
      Services{*engine, *store, *runtime, *forge, clock, *tokens, live, *tails, *workers, *webhooks, upgrade,
               diff_reader(*git, options.data),
               [this, data = options.data](std::function<void(std::string)> answer) {
                 read_towns(*engine, *metrics, *workers,
                            [this, data, answer = std::move(answer)] { answer(metrics->text(readings(data))); });
               },
               node, presets, options.data, [this] { return store->check(); }});
  api = std::make_unique<Api>(*services, Doorman{node.server.hosts, node.server.origins, https});
  http->start();
  if (node.upgrade.verify == "report") report_what_differs(options.data);
  log.write(LogLevel::info, "townd is ready",
            {{"version", std::string(kVersion)},
             {"data", options.data},
             {"listen", url},
             {"towns", std::to_string(engine->towns().size())}});
  return {};
}

/// A program that is new to this data is tried on its towns' last day before it goes on with them.
expected<void> Daemon::Parts::refuse_if_otherwise(const std::string& data) {
  const KnownProgram program(data);
  if (program.known()) return {};
  const auto towns = store->towns();
  if (!towns) return tl::unexpected(towns.error());
  for (const TownId& town : *towns)
    if (const std::string differs = in_words(try_on_past(*store, town, clock.now())); !differs.empty())
      return fail(
          Error::Code::conflict, "this townd is not what recorded the town " + town.text + ": " + differs,
          "start the one before, or set verify = \"report\" under [upgrade] of townd.toml to go on with this one");
  program.remember();
  return {};
}

/// The same while it works already; what differs is in the log, and in the town's status until the next start.
void Daemon::Parts::report_what_differs(const std::string& data) {
  workers->post([this, data] {
    try {
      try_on_the_past(data);
    } catch (const std::exception& thrown) {
      log.write(LogLevel::warn, "the past could not be decided again", {{"because", thrown.what()}});
    }
  });
}

void Daemon::Parts::try_on_the_past(const std::string& data) {
  const KnownProgram program(data);
  if (program.known()) return;
  const auto towns = store->towns();
  if (!towns) return;
  bool alike = true;
  for (const TownId& town : *towns) {
    UpgradeFinding finding = try_on_past(*store, town, clock.now());
    const std::string words = in_words(finding);
    if (words.empty()) continue;
    alike = false;
    log.write(LogLevel::warn, "this townd is not what recorded the past", {{"town", town.text}, {"because", words}});
    for (const DifferingTick& tick : finding.otherwise)
      for (const Decided& decided : tick.instead.empty() ? tick.as_it_was : tick.instead)
        log.write(LogLevel::warn, "a tick would be decided otherwise",
                  {{"town", town.text},
                   {"tick", std::to_string(tick.number)},
                   {"rule", std::string(decided.rule)},
                   {"subject", decided.subject.text},
                   {"now", tick.instead.empty() ? "not" : "so"}});
    upgrade.add(town, std::move(finding));
  }
  if (alike) program.remember();
}

/// Lifecycle events go to a file and to a collector, if somebody wants them.
expected<void> Daemon::Parts::tell_events(const DaemonOptions& options, const NodeSettings& node) {
  const auto trouble = [this](const std::string& problem) {
    log.write(LogLevel::warn, "events cannot be brought to where they are wanted", {{"because", problem}});
  };
  auto collector = event_collector(node, config_file(options));
  if (!collector) return tl::unexpected(collector.error());
  if (!node.events.file.empty()) {
    EventFileSettings settings;
    settings.path = (fs::path(options.data) / node.events.file).string();
    settings.bytes = static_cast<std::size_t>(node.events.rotate.bytes);
    settings.kept = static_cast<std::size_t>(node.events.keep);
    auto opened = EventFile::open(settings, trouble);
    if (!opened) return tl::unexpected(opened.error());
    event_file = std::move(*opened);
  }
  if (*collector) event_post = std::make_unique<EventPost>(std::move(**collector), trouble);
  if (!event_file && !event_post) return {};
  const auto write = [this](const std::string& line) {
    if (event_file) event_file->write(line);
    if (event_post) event_post->write(line);
  };
  lifecycle = std::make_unique<Lifecycle>(write, clock);
  return {};
}

/// The answer with a note of how long it took.
Answer Daemon::Parts::measured(Answer answer) const {
  return [this, began = std::chrono::steady_clock::now(), answer = std::move(answer)](Response response) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    metrics->answered(response.operation, response.status, took.count());
    if (lifecycle) lifecycle->answered(response.operation, response.status, took.count(), clock.now());
    answer(std::move(response));
  };
}

NodeReadings Daemon::Parts::readings(const std::string& data) const {
  NodeReadings node{disk_use(data), 0, {}, forge->host_calls()};
  const auto budget = static_cast<double>(services->node.run_limits().log_bytes);
  for (const RunId& run : metrics->live_runs())
    node.log_used = std::max(node.log_used, std::min(1.0, static_cast<double>(runtime->log_bytes(run)) / budget));
  if (sinks) node.sinks = sinks->numbers().sinks;
  return node;
}

/// Binds the doors; nobody is let in before `http->start`.
expected<void> Daemon::Parts::listen(const DaemonOptions& options, const ServerSettings& server) {
  std::optional<TlsIdentity> identity;
  if (!server.tls_cert.empty()) {
    auto read = TlsIdentity::read({server.tls_cert, server.tls_key}, clock.now());
    if (!read) return tl::unexpected(read.error());
    identity = std::move(*read);
    http->use_tls(*identity);
  }
  const auto port = http->listen_tcp(address.host, address.port);
  if (!port) return tl::unexpected(port.error());
  address.port = *port;
  url = own_url(address, identity ? &*identity : nullptr, server.hosts);
  std::error_code problem;
  const fs::path door = fs::path(options.data + kAgentSocket).parent_path();
  fs::create_directory(door, problem);
  if (!problem) fs::permissions(door, fs::perms::owner_all, problem);
  if (problem) return fail(Error::Code::internal, "cannot make " + door.string() + ": " + problem.message());
  for (const auto& [name, channel] :
       {std::pair{"/townd.sock", Channel::town_socket}, {kAgentSocket, Channel::agent_socket}})
    if (auto made = http->listen_unix(options.data + name, channel); !made) return made;
  listen_file = options.data + "/listen";
  std::ofstream(listen_file, std::ios::trunc) << address.text() << "\n" << url << "\n";
  return {};
}

void Daemon::Parts::close() {
  // Nobody new is let in and what was asked is answered, which needs the engine; then it may end.
  live.finish();
  if (http) http->stop();
  if (tails) tails->stop();
  if (forge) forge->stop();  // a host that does not answer would be waited for
  if (driver) driver->stop();
  if (workers) workers->stop();
  if (sinks) sinks->stop();
  std::error_code ignored;
  if (!listen_file.empty()) fs::remove(listen_file, ignored);
  if (driver) log.write(LogLevel::info, "townd has ended; agents that run go on");
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() { parts_->close(); }

expected<std::unique_ptr<Daemon>> Daemon::start(const DaemonOptions& options) {
  const auto node = read_settings(options);
  if (!node) return tl::unexpected(node.error());
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Parts>(log_level(node->log.level))));
  if (auto opened = daemon->parts_->open(options, *node); !opened) return tl::unexpected(opened.error());
  return daemon;
}

}  // namespace townd
