#include "core/budget.hpp"

#include "core/rules/common.hpp"

/// B: a spent budget lets nothing start (the gate); people are asked once whether it shall be raised.
namespace townd {
namespace {

using namespace actions;

std::string two_digits(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

/// `2026-07-01 12:00 UTC`, rounded up to the minute; the day by the Gregorian calendar's cycles of 400 years.
std::string moment(Instant at) {
  constexpr std::int64_t kMinute = 60'000, kMinutesOfDay = 1'440, kToYear0 = 719'468, kDaysOf400Years = 146'097;
  const std::int64_t minutes = (at.ms + kMinute - 1) / kMinute;
  const std::int64_t day = minutes / kMinutesOfDay + kToYear0;
  const std::int64_t cycle = day / kDaysOf400Years, of_cycle = day % kDaysOf400Years;
  const std::int64_t year_of_cycle = (of_cycle - of_cycle / 1'460 + of_cycle / 36'524 - of_cycle / 146'096) / 365;
  const std::int64_t of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const std::int64_t from_march = (5 * of_year + 2) / 153;
  const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  const std::int64_t year = cycle * 400 + year_of_cycle + (month <= 2 ? 1 : 0);
  return std::to_string(year) + "-" + two_digits(month) + "-" + two_digits(of_year - (153 * from_march + 2) / 5 + 1) +
         " " + two_digits(minutes % kMinutesOfDay / 60) + ":" + two_digits(minutes % 60) + " UTC";
}

/// Micro-dollars as `$12.50`.
std::string dollars(std::int64_t micro) {
  return "$" + std::to_string(micro / kMicroUsd) + "." + two_digits(micro % kMicroUsd / 10'000);
}

std::string question(const Budget& budget) {
  const bool runs = budget.setting == kRunsPerDay;
  const std::string used = runs ? std::to_string(budget.used) + " runs were started in the last 24 hours, of "
                                : dollars(budget.used) + " were spent in the last 24 hours, of ";
  return used + (runs ? std::to_string(budget.limit) : dollars(budget.limit)) + " that " + std::string(budget.setting) +
         " allows; " +
         (budget.free_at == kNever ? "nothing new is started"
                                   : "nothing new is started until " + moment(budget.free_at)) +
         ". To raise it: town config set " + std::string(budget.setting) + " " + (runs ? "RUNS" : "DOLLARS");
}

Decision breach(const Town& town, const SubjectKey&, Instant now) {
  const std::vector<Budget> spent = spent_budgets(town, now);
  bool asked = false;
  Instant free_at = kNever;
  for (const std::string_view setting : {kRunsPerDay, kUsdPerDay}) {
    const BeadId& told = town.row().*told_of(setting);
    const auto budget = std::find_if(spent.begin(), spent.end(), [&](const Budget& b) { return b.setting == setting; });
    if (budget != spent.end() && told.empty()) {
      RaiseEscalation ask;
      ask.category = category_of(setting);
      ask.message = question(*budget);
      return act(std::move(ask));
    }
    if (budget != spent.end()) {
      free_at = std::min(free_at, budget->free_at);
    } else if (told) {
      const Bead* escalation = town.bead(told);
      if (!escalation || terminal(escalation->status)) return act(ForgetBudgetBreach{std::string(setting)});
      asked = true;
    }
  }
  if (free_at != kNever) return Wait{free_at, Reason::budget};
  if (!spent.empty()) return Hold{Reason::budget};
  return asked ? Decision(Hold{Reason::waiting_for_person}) : not_concerned();
}

constexpr Rule kRules[] = {
    {"town.budget", Stage::town, kActs | kWaits | kHolds, breach, "people are asked once about a budget that is spent"},
};

}  // namespace

std::span<const Rule> budget_rules() { return kRules; }

}  // namespace townd
