#pragma once

#include <string>

#include "codec/config.hpp"
#include "core/expected.hpp"
#include "observe/alert_sinks.hpp"

namespace townd {

/// The sinks that `[sentry]`, `[webhook]` and `[alerts]` name, with their secrets read from where they are. An error
/// names file, line and key, and repeats no secret. `file` is where the settings were read from.
expected<SinkSettings> sink_settings(const NodeSettings& node, const std::string& file);

}  // namespace townd
