#pragma once

#include <string>

#include "codec/json.hpp"
#include "core/expected.hpp"

namespace townd::cli {

/// What an agent has in its clone, the current folder. Everything is empty outside of a repository.
struct OwnWork {
  std::string branch;
  std::string commit;
  std::string uncommitted;  ///< changed files that git knows, one a line; new files are not counted
};
expected<OwnWork> own_work();

/// JSON over several lines, for people and models.
std::string pretty(const json::value& value, int depth = 0);

}  // namespace townd::cli
