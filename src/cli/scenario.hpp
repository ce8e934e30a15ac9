#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "core/expected.hpp"

namespace townd::cli {

struct ScenarioResult {
  std::string id;
  bool ok = false;
  std::string why;  ///< the first thing that is not as expected
};

/// Plays every scenario of a `town-scenarios/1` file. An error means that it is no such file.
expected<std::vector<ScenarioResult>> play_scenarios(std::string_view file);

/// `town scenario FILE…`: prints the results and answers the exit code.
expected<int> run_scenarios(const std::vector<std::string>& files, bool as_json, std::ostream& out);

}  // namespace townd::cli
