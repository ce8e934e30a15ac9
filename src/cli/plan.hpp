#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "core/expected.hpp"

namespace townd::cli {

struct PlanRequest {
  std::string snapshot;           ///< path of a town-snapshot/1 or town-bundle/1 file
  std::optional<std::string> at;  ///< ISO 8601; what follows by then too
  bool as_json = false;
};

/// `town plan --snapshot FILE`: what the town in the file would do next, without a daemon. Answers the exit code.
expected<int> plan_snapshot(const PlanRequest& request, std::ostream& out);

}  // namespace townd::cli
