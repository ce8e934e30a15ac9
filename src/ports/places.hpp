#pragma once

#include <string>

#include "core/ids.hpp"

namespace townd {

/// Where things are in the data folder; the only place that says so. Ids of rigs and runs are unique on the node.
struct Places {
  std::string data;  ///< absolute

  /// The bare repository of a rig, which only townd touches.
  [[nodiscard]] std::string rig(const RigId& id) const { return data + "/rigs/" + id.text + ".git"; }
  [[nodiscard]] std::string clones() const { return data + "/clones"; }
  /// A run's own clone, which the agent writes.
  [[nodiscard]] std::string clone(const RunId& id) const { return clones() + "/" + id.text; }
  /// What townd and townd-shim tell each other about a run, and its log (ports/run_folder.hpp).
  [[nodiscard]] std::string runs() const { return data + "/runs"; }
  [[nodiscard]] std::string run(const RunId& id) const { return runs() + "/" + id.text; }
  /// A run's private home and temporary folder.
  [[nodiscard]] std::string homes() const { return data + "/homes"; }
  [[nodiscard]] std::string home(const RunId& id) const { return homes() + "/" + id.text; }
  /// Where sandboxed agents reach townd; takes run tokens only.
  [[nodiscard]] std::string agent_socket() const { return data + "/agent.sock"; }
};

}  // namespace townd
