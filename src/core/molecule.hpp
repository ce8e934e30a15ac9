#pragma once

#include <cstddef>
#include <vector>

#include "core/town.hpp"

namespace townd {

/// A molecule is the work of one issue in steps: a bead of its own whose parent is the issue, with one bead for each
/// step whose parent it is, in the order of their ids (reference-behaviour §h.13). Nobody is sent to a step; the agent
/// at work on the issue says when one is done.
inline constexpr std::size_t kMoleculeSteps = 50;  ///< as many as the reference lets a batch have tasks

bool molecule_step(const Town& town, const Bead& bead);
/// The steps in their order, ended ones too.
std::vector<BeadId> steps_of(const Town& town, const BeadId& molecule);
/// The molecule of an issue that has not ended, or an empty id.
BeadId molecule_of(const Town& town, const BeadId& issue);
/// The first step that has not ended, or an empty id.
BeadId current_step(const Town& town, const BeadId& molecule);

}  // namespace townd
