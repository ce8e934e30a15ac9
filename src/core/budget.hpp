#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/town.hpp"

namespace townd {

inline constexpr std::string_view kRunsPerDay = "runs_per_day";
inline constexpr std::string_view kUsdPerDay = "usd_per_day";
inline constexpr std::int64_t kMicroUsd = 1'000'000;  ///< micro-dollars of a dollar
inline constexpr double kMostUsd = 1e9;               ///< that a day may cost

/// One of a town's budgets and what of it was used in the last 24 hours.
struct Budget {
  std::string_view setting;  ///< its name
  std::int64_t limit = 0;    ///< runs, or micro-dollars
  std::int64_t used = 0;
  Instant free_at = kNever;  ///< of a spent one: when it is free again; kNever when time alone does not free it
  [[nodiscard]] bool spent() const { return used >= limit; }
};

Budget runs_budget(const Town& town, Instant now);
std::optional<Budget> usd_budget(const Town& town, Instant now);
/// The budgets that are spent. Runs are not even counted while there are too few of them.
std::vector<Budget> spent_budgets(const Town& town, Instant now);
/// Where the town keeps by which escalation people were told that this budget is spent; empty when it was free since.
BeadId TownRow::*told_of(std::string_view setting);
/// The escalation's category: `budget_runs_per_day`.
std::string category_of(std::string_view setting);

}  // namespace townd
