#pragma once

#include <filesystem>
#include <vector>

#include "core/expected.hpp"
#include "core/image.hpp"

namespace townd {

/// Looks at every page of the store in a data folder whose daemon does not run, and then at the towns in it; nothing is
/// written. `internal`: it is damaged; `not_found`: there is none; `conflict`: a daemon uses it.
expected<std::vector<TownImage>> inspect_store(const std::filesystem::path& folder);

}  // namespace townd
