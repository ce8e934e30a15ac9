#include "server/daemon_options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "server/version.hpp"

namespace townd {
namespace {

constexpr int kUsage = 2;

std::string default_data() {
  if (const char* folder = std::getenv("TOWND_DATA"); folder != nullptr && *folder != '\0') return folder;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.local/share/townd";
  return {};
}

}  // namespace

DaemonOptions parse_options(int argc, const char* const* argv) {
  DaemonOptions options;
  CLI::App app("townd keeps a town of coding agents moving. `town --help` is the way to talk to it.", "townd");
  app.add_option("--data", options.data, "Data folder (or TOWND_DATA; ~/.local/share/townd)");
  app.add_option("--listen", options.listen,
                 "HOST:PORT to listen on beside the data folder's townd.sock (127.0.0.1:7777; port 0: any)");
  app.add_option("--tls-cert", options.tls_cert,
                 "Speak https there: the certificate, in PEM, with those it depends on");
  app.add_option("--tls-key", options.tls_key, "The certificate's key, in PEM; nobody else may be able to read it");
  app.add_flag("--behind-proxy", options.behind_proxy,
               "A proxy in front does TLS; without it or a certificate only loopback is listened on");
  app.add_option("--config", options.config, "Configuration (townd.toml in the data folder)");
  app.set_version_flag("--version", "townd " + std::string(kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::ostringstream said;
    std::ostringstream wrong;
    const int code = app.exit(problem, said, wrong);
    options.over = true;
    options.exit_code = code == 0 ? 0 : kUsage;
    options.text = code == 0 ? said.str() : wrong.str();
    return options;
  }
  if (options.data.empty()) options.data = default_data();
  if (options.data.empty()) {
    options.over = true;
    options.exit_code = kUsage;
    options.text = "townd: there is no HOME to put a data folder into; name one with --data\n";
    return options;
  }
  std::error_code ignored;
  options.data = std::filesystem::absolute(options.data, ignored).lexically_normal().string();
  while (options.data.size() > 1 && options.data.back() == '/') options.data.pop_back();
  return options;
}

}  // namespace townd
