#include "server/doctor/finding.hpp"

#include <algorithm>
#include <array>

namespace townd::doctor {
namespace {

constexpr std::array<Check, 19> kChecks{{
    {"damaged_page", "a page of the store that is not what was written", false},
    {"file_mode", "a private file or folder that others could read", false},
    {"unusable_folder", "a folder of the data folder that townd cannot write to", false},
    {"low_disk", "less than 2 GiB left where the data folder is", false},
    {"orphan_clone", "a clone that no run works in any more", false},
    {"orphan_process", "a process of a run that is over", false},
    {"orphan_branch", "a branch in a rig's repository that nothing under way belongs to", false},
    {"missing_branch", "the branch of a convoy under way that is not there", false},
    {"missing_repository", "a rig's repository that was there and is not", false},
    {"useless_token", "a token that is still good although its run is over, or that nobody can use"},
    {"unreachable_rig", "a repository that cannot be worked on"},
    {"unusable_host", "a rig with pull requests whose host does not let townd do what it needs"},
    {"missing_preset", "an agent program that a town uses and that nobody has described"},
    {"unusable_preset", "an agent program that is not installed or not logged in"},
    {"stopped_town", "a town that is not run"},
    {"quarantined_event", "a fact that could not be applied"},
    {"effect_in_doubt", "something done outside whose outcome has not been known for long"},
    {"broken_invariant", "rows that contradict one another"},
    {"stuck_work", "work that should move and does not"},
}};

}  // namespace

std::span<const Check> checks() { return kChecks; }

void Report::repair() {
  for (Finding& finding : findings) {
    if (!finding.repair) continue;
    const auto repaired = finding.repair();
    finding.fixed = repaired.has_value();
    if (repaired) continue;
    finding.what += "; it could not be repaired: " + repaired.error().what;
    if (!repaired.error().hint.empty()) finding.advice = repaired.error().hint;
  }
}

void Report::cannot_make(std::string_view check, const Error& error) { unmade.push_back({check, error.what}); }

json::object Report::shape() const {
  json::array found, left_out, made;
  for (const Finding& finding : findings)
    found.push_back({{"check", finding.check},
                     {"severity", finding.severity == Severity::error ? "error" : "warning"},
                     {"town", finding.town.empty() ? json::value(nullptr) : json::value(finding.town)},
                     {"subject", finding.subject},
                     {"what", finding.what},
                     {"advice", finding.advice},
                     {"fixable", static_cast<bool>(finding.repair)},
                     {"fixed", finding.fixed}});
  for (const Unmade& check : unmade) left_out.push_back({{"check", check.check}, {"because", check.because}});
  for (const Check& check : checks())
    if (std::none_of(unmade.begin(), unmade.end(), [&](const Unmade& other) { return other.check == check.name; }))
      made.push_back({{"check", check.name}, {"meaning", check.meaning}});
  return {{"findings", std::move(found)}, {"unmade", std::move(left_out)}, {"made", std::move(made)}};
}

}  // namespace townd::doctor
