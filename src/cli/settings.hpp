#pragma once

#include <string>
#include <vector>

#include "codec/json.hpp"
#include "core/expected.hpp"

/// A town's settings under the names that townd.toml has for them: `town.max_polecats`, `reconciler.poll`. In the
/// daemon's answer the first are at the top or under `refinery`, and the others under `reconciler`.
namespace townd::cli {

std::vector<std::string> setting_keys(const json::value& config);

/// The value of a key, `town.` in front may be left out; an unknown one is an error that names the nearest.
expected<const json::value*> setting_named(const json::value& config, const std::string& key);

/// The request that sets `key` to what `text` says in the type that it has now.
expected<json::object> patch_for(const json::value& config, const std::string& key, const std::string& text);

}  // namespace townd::cli
