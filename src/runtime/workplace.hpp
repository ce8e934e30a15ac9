#pragma once

#include <string>

#include "core/expected.hpp"
#include "git/program.hpp"
#include "ports/runtime.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"

namespace townd {

/// Makes what a run works in: its clone at the right commit (an empty folder for a mayor or a triage run), the files
/// that the rig copies, and its private home. Repeating it changes nothing.
expected<void> prepare_workplace(const git::Program& git, const LocalSettings& settings, const AgentSpec& spec,
                                 const RunPlaces& places);

/// What a run reads on its standard input: the rendered prompt, the bead's body for a script, or nothing. A rework run
/// gets the script of the bead that it repairs, as its own body is what a gate or a reviewer said.
expected<std::string> input_of(const LocalSettings& settings, const AgentSpec& spec, const Preset& preset);

/// Puts the rig's untracked files (`copy`) from the owner's checkout into a clone.
expected<void> copy_files(const std::string& checkout, const std::string& clone, const std::vector<std::string>& files);

}  // namespace townd
