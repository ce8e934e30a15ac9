#pragma once

#include <string>

#include "core/expected.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"

namespace townd {

/// How many agents this machine takes: clamp(min(cores, memory / 1.5 GiB), 1, 16), unless the owner said a number.
int slots_of(const LocalSettings& settings);
/// Less than 2 GiB are left where the data folder is.
bool disk_is_low(const std::string& data);
/// How full the file system of the data folder is, 0 to 1; what is kept for root counts as used.
double disk_use(const std::string& data);

/// Where the preset's program is, or what to install.
expected<std::string> program_of(const Preset& preset, const LocalSettings& settings);
/// A tiny real call of the program with the owner's own environment; the error says what it answered.
expected<void> check_preset(const Preset& preset, const LocalSettings& settings);

}  // namespace townd
