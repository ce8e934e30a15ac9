#pragma once

#include <string>

#include "codec/snapshot.hpp"
#include "core/expected.hpp"

namespace townd::cli {

struct Imported {
  TownId town;
  std::size_t beads = 0;
  std::vector<std::string> violations;  ///< invariants that the snapshot breaks: reported, and left to the town's rules
};

/// Writes a whole town into the data folder, whose daemon must not be running. Its repositories are cloned by the
/// daemon when it starts. A town or prefix that is there already is refused.
expected<Imported> import_town(const std::string& data, const Snapshot& snapshot);

}  // namespace townd::cli
