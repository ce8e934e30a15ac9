#pragma once

#include <string>

#include "cli/command.hpp"
#include "cli/transport.hpp"

namespace townd::cli {

/// Where this call of `town` points.
struct Place {
  std::string data;  ///< the daemon's folder; empty when it is reached by URL or as an agent
  Address address;
  bool agent = false;  ///< we hold a run's token and nothing else
};

/// From flags and environment. A run's token (TOWN_TOKEN) is used alone: no flag and no other token replaces it.
expected<Place> find_place(const Values& flags);

/// `--data`, TOWND_DATA, or ~/.local/share/townd.
expected<std::string> data_folder(const Values& flags);

}  // namespace townd::cli
