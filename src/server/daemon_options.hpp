#pragma once

#include <string>

namespace townd {

/// The command line of `townd`.
struct DaemonOptions {
  std::string data;    ///< absolute
  std::string listen;  ///< empty: as the configuration says
  std::string tls_cert;
  std::string tls_key;
  bool behind_proxy = false;
  std::string config;  ///< file; empty: `townd.toml` in the data folder, if there is one

  bool over = false;  ///< nothing is to be run: `text` was asked for, or says what is wrong
  int exit_code = 0;
  std::string text;
};

DaemonOptions parse_options(int argc, const char* const* argv);

}  // namespace townd
