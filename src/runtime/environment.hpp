#pragma once

#include <map>
#include <string>
#include <vector>

#include "ports/runtime.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"

namespace townd {

/// The whole environment of a run, made from nothing: PATH, HOME, LANG, TERM, TZ, what the preset names, TOWN_* and
/// GASTOWN_*. Nothing else of townd's own environment gets in.
std::map<std::string, std::string> environment_of(const AgentSpec& spec, const Preset& preset,
                                                  const LocalSettings& settings, const RunPlaces& places);

/// Names that set-up does not get: the run's token and what the preset passes on.
std::vector<std::string> private_names(const Preset& preset);

/// Everything is, unless someone said `sandbox = "none"` for the rig.
bool sandboxed(const Assignment& work);

/// PATH inside: the folder of `town`, then townd's own PATH.
std::string agent_path(const LocalSettings& settings);

}  // namespace townd
