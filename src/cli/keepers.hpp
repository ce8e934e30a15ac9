#pragma once

#include <string>

#include "core/expected.hpp"

namespace townd::cli {

/// Ends every agent whose keeper (townd-shim) still lives in the data folder's `runs/`, and waits for them: a keeper
/// ends all of its descendants before itself. Answers how many there were. The daemon must not be running.
expected<int> stop_keepers(const std::string& data);

}  // namespace townd::cli
