#pragma once

#include <string>
#include <vector>

#include "codec/config.hpp"
#include "core/expected.hpp"
#include "forge/host_settings.hpp"
#include "server/webhooks.hpp"

namespace townd {

/// The hosts of pull requests that `[github]`, `[gitlab]` and `[gitea]` name, with their secrets read from where they
/// are; none without a token. An error names file, line and key, and repeats no secret. `file` is where the settings
/// were read from.
expected<std::vector<HostSettings>> forge_settings(const NodeSettings& node, const std::string& file);

/// How hosts of this kind show that a webhook is theirs.
WebhookProof proof_of(HostKind kind);

}  // namespace townd
