#include "core/budget.hpp"

#include <algorithm>

namespace townd {
namespace {

/// Counts `weight` of each run of the last day, newest first: the budget is free again when the run leaves the day
/// with which the limit was reached.
template <class Weight>
void count(const Town& town, Instant now, Budget& budget, Weight weight) {
  const Instant from = now - days(1);
  const auto& runs = town.runs_by_request();
  for (auto it = runs.rbegin(); it != runs.rend() && it->first > from; ++it) {
    const bool spent = budget.spent();
    budget.used += weight(*town.run(it->second));
    if (!spent && budget.spent()) budget.free_at = it->first + days(1);
  }
}

}  // namespace

Budget runs_budget(const Town& town, Instant now) {
  Budget budget{kRunsPerDay, std::max(0, town.config().runs_per_day)};
  count(town, now, budget, [](const Run&) { return 1; });
  return budget;
}

std::optional<Budget> usd_budget(const Town& town, Instant now) {
  if (!town.config().micro_usd_per_day) return std::nullopt;
  Budget budget{kUsdPerDay, *town.config().micro_usd_per_day};
  count(town, now, budget, [](const Run& run) { return run.cost_micro_usd; });
  return budget;
}

std::vector<Budget> spent_budgets(const Town& town, Instant now) {
  std::vector<Budget> spent;
  if (static_cast<std::int64_t>(town.runs_by_request().size()) >= town.config().runs_per_day)
    if (const Budget runs = runs_budget(town, now); runs.spent()) spent.push_back(runs);
  if (const auto usd = usd_budget(town, now); usd && usd->spent()) spent.push_back(*usd);
  return spent;
}

BeadId TownRow::*told_of(std::string_view setting) {
  return setting == kRunsPerDay ? &TownRow::runs_escalation : &TownRow::usd_escalation;
}

std::string category_of(std::string_view setting) { return "budget_" + std::string(setting); }

}  // namespace townd
