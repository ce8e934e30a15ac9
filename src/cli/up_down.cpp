#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/keepers.hpp"
#include "cli/place.hpp"
#include "cli/process.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

std::vector<std::string> daemon_arguments(const Values& values) {
  std::vector<std::string> arguments;
  if (values.has("--listen")) arguments.insert(arguments.end(), {"--listen", values.text("--listen")});
  if (values.has("--behind-proxy")) arguments.emplace_back("--behind-proxy");
  std::error_code error;  // the daemon runs in another folder
  for (const char* file : {"--tls-cert", "--tls-key", "--config"})
    if (values.has(file))
      arguments.insert(arguments.end(), {file, std::filesystem::absolute(values.text(file), error).string()});
  return arguments;
}

/// Becomes the daemon; comes back only when that is impossible.
expected<int> in_foreground(const std::string& data, const Values& values) {
  const std::string program = program_beside_us("townd");
  if (program.empty())
    return fail(Error::Code::internal, "townd is neither beside town nor in PATH", "Install both programs together.");
  std::vector<std::string> words{program, "--data", data};
  for (std::string& word : daemon_arguments(values)) words.push_back(std::move(word));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  return fail(Error::Code::internal, "cannot run " + program + ": " + std::strerror(errno));
}

/// Both are about a daemon on this machine.
expected<void> here(const Values& values) {
  if (!values.has("--url") && !values.has("--token")) return {};
  return fail(Error::Code::invalid, "a daemon is started and ended where its data folder is",
              "leave out --url and --token, and name the folder with --data");
}

expected<int> up(Session& session, const Values& values) {
  if (const auto right = here(values); !right) return tl::unexpected(right.error());
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  if (values.has("--foreground")) return in_foreground(*data, values);
  const auto started = start_daemon(*data, daemon_arguments(values), session.terminal());
  if (!started) return tl::unexpected(started.error());
  const json::object told{{"started", *started}, {"data", *data}, {"pid", daemon_pid(*data)}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    session.terminal().line((*started ? "townd runs on " : "townd runs already on ") + *data + " (process " +
                            std::to_string(daemon_pid(*data)) + ")");
  });
}

expected<int> down(Session& session, const Values& values) {
  if (const auto right = here(values); !right) return tl::unexpected(right.error());
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  session.terminal().progress("ending townd on " + *data);
  const auto stopped = stop_daemon(*data);
  if (!stopped) return tl::unexpected(stopped.error());
  int agents = 0;
  if (values.has("--stop-agents")) {
    session.terminal().progress("ending the agents");
    const auto ended = stop_keepers(*data);
    if (!ended) return tl::unexpected(ended.error());
    agents = *ended;
  }
  const json::object told{{"stopped", *stopped}, {"agents_stopped", agents}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    Terminal& terminal = session.terminal();
    terminal.line(*stopped ? "townd has ended." : "townd was not running on " + *data + ".");
    if (agents > 0) terminal.line(std::to_string(agents) + (agents == 1 ? " agent was" : " agents were") + " ended.");
    if (*stopped && !values.has("--stop-agents"))
      terminal.line("Agents at work go on by themselves; townd finds them again: town up");
  });
}

}  // namespace

std::vector<Command> daemon_commands() {
  return {
      {"up",
       "Daemon",
       "Start the daemon that runs your towns",
       "town up",
       {flag("--foreground", "Stay in this terminal instead"),
        option("--listen", "HOST:PORT for http or https; 127.0.0.1:7777"),
        option("--tls-cert", "Speak https: the certificate, in PEM"),
        option("--tls-key", "The certificate's key, in PEM"),
        flag("--behind-proxy", "A proxy in front does TLS: listen beyond loopback without a certificate"),
        option("--config", "townd.toml to read")},
       up},
      {"down",
       "Daemon",
       "End the daemon; agents at work go on unless told otherwise",
       "town down --stop-agents",
       {flag("--stop-agents", "End the agents too")},
       down},
  };
}

}  // namespace townd::cli
