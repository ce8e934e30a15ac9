#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "core/town.hpp"

namespace townd {

/// Any row of a town.
using AnyRow = std::variant<TownRow, Rig, Bead, Agent, Run, Review, Convoy, Dependency, Nudge, Mail, DeferredEvent>;

/// A copy of the row that `key` names, or none when it is gone.
std::optional<AnyRow> row_image(const Town& town, const RowKey& key);

/// All rows of a town, each kind in key order.
struct TownImage {
  TownRow town;
  std::vector<Rig> rigs;
  std::vector<Bead> beads;
  std::vector<Agent> agents;
  std::vector<Run> runs;
  std::vector<Review> reviews;
  std::vector<Convoy> convoys;
  std::vector<Dependency> dependencies;
  std::vector<Nudge> nudges;
  std::vector<Mail> mail;
  std::vector<DeferredEvent> deferred;
};

TownImage image_of(const Town& town);
/// A town with these rows, everything touched, nothing to undo.
Town town_of(TownImage image);

}  // namespace townd
