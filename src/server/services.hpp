#pragma once

#include <functional>
#include <string>
#include <vector>

#include "codec/config.hpp"
#include "core/expected.hpp"
#include "core/rows.hpp"

namespace townd {

class Clock;
class Engine;
class Forge;
class LiveHub;
class LogTails;
class Runtime;
class Store;
class TokenBook;
class UpgradeReport;
class Webhooks;
class Workers;

/// What a bead's branch changes: `base...head` in the rig's own repository.
struct DiffSpec {
  TownId town;
  Rig rig;
  std::string target_branch;
  std::string branch;
  std::string base_commit;  ///< what it was merged on; empty: not merged
  std::string commit;       ///< the tip when the work was handed in; empty: the branch's
  RunId run;                ///< whose work it is; empty when unknown
};

/// What handlers work with.
struct Services {
  Engine& engine;
  Store& store;
  Runtime& runtime;
  Forge& forge;
  Clock& clock;
  TokenBook& tokens;
  LiveHub& live;
  LogTails& tails;
  Workers& workers;
  Webhooks& webhooks;
  const UpgradeReport& upgrade;
  std::function<expected<std::string>(const DiffSpec&)> diff;
  /// Gives them in Prometheus' text format, on any thread.
  std::function<void(std::function<void(std::string)>)> metrics;
  NodeSettings node;                            ///< `node.town` is what a new town begins with
  std::vector<std::string> presets;             ///< agent programs by name
  std::string data;                             ///< the data folder
  std::function<expected<void>()> check_pages;  ///< looks at every page of the store's file
};

}  // namespace townd
