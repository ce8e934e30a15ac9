#include "server/upgrade.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/past.hpp"
#include "engine/token.hpp"
#include "server/version.hpp"

namespace townd {
namespace {

std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string rules_of(const std::vector<Decided>& decisions) {
  std::string rules;
  for (const Decided& decided : decisions) rules += (rules.empty() ? "" : " ") + std::string(decided.rule);
  return rules.empty() ? "nothing" : rules;
}

}  // namespace

UpgradeFinding try_on_past(Store& store, const TownId& town, Instant now) {
  const auto unreadable = [](const Error& why) { return UpgradeFinding{0, {}, {}, why.what}; };
  const auto snapshots = store.snapshots(town);
  if (!snapshots) return unreadable(snapshots.error());
  if (snapshots->empty()) return {};  // nothing is remembered that could be tried
  Window window{std::max(now - kUpgradeReach, snapshots->front().at + Duration{1}), now};
  auto past = run_past(store, town, window);
  // A damaged first snapshot takes only what is before the next one with it.
  for (auto next = snapshots->begin(); !past && next != snapshots->end(); ++next) {
    if (next->at < window.from) continue;
    window.from = next->at + Duration{1};
    past = run_past(store, town, window);
  }
  if (!past) return unreadable(past.error());
  UpgradeFinding finding{past->rerun.ticks, std::move(past->rerun.otherwise), {}, {}};
  if (const auto& first = past->rerun.first_difference;
      first && first->recorded.at >= window.from && finding.otherwise.empty())
    finding.apart =
        "tick " + std::to_string(first->recorded.number) + " comes out otherwise, first in its " + first->what;
  return finding;
}

std::string in_words(const UpgradeFinding& finding) {
  if (!finding.unreadable.empty()) return "its last 24 h could not be decided again: " + finding.unreadable;
  if (finding.otherwise.empty()) return finding.apart;
  const DifferingTick& first = finding.otherwise.front();
  return std::to_string(finding.otherwise.size()) + " of " + std::to_string(finding.ticks) +
         " ticks of the last 24 h would be decided otherwise, first tick " + std::to_string(first.number) + " (" +
         rules_of(first.as_it_was) + ", now " + rules_of(first.instead) + ")";
}

void UpgradeReport::add(const TownId& town, UpgradeFinding finding) {
  std::string words = in_words(finding);
  if (words.empty()) return;
  const std::lock_guard lock(mutex_);
  found_[town] = std::move(words);
}

std::string UpgradeReport::of(const TownId& town) const {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(town);
  return found == found_.end() ? std::string{} : found->second;
}

KnownProgram::KnownProgram(std::string data)
    : file_(std::move(data) + "/verified"),
      program_(std::string(kVersion) + " " + hash_token(whole_file("/proc/self/exe")) + "\n") {}

bool KnownProgram::known() const { return whole_file(file_) == program_; }

void KnownProgram::remember() const { std::ofstream(file_, std::ios::trunc) << program_; }

}  // namespace townd
