#pragma once

#include <optional>
#include <string>

#include "codec/config.hpp"
#include "core/expected.hpp"
#include "observe/alert_sinks.hpp"
#include "observe/event_post.hpp"

namespace townd {

/// The sinks that `[sentry]`, `[webhook]` and `[alerts]` name, with their secrets read from where they are. An error
/// names file, line and key, and repeats no secret. `file` is where the settings were read from.
expected<SinkSettings> sink_settings(const NodeSettings& node, const std::string& file);
/// The collector of lifecycle events that `[events]` names, in the same way; none when it names none.
expected<std::optional<EventPost::Options>> event_collector(const NodeSettings& node, const std::string& file);

}  // namespace townd
