#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/rule.hpp"
#include "sim/simulation.hpp"

/// townd-sim [--seed] SEED [[--seeds] COUNT]: that many simulations from that seed on; ends with 1 at the first that
/// fails. With TOWND_SIM_TELL in the environment every decision is printed.
int main(int count_of_words, char** words) {
  std::vector<std::uint64_t> numbers;
  for (int i = 1; i < count_of_words; ++i)
    if (!std::string_view(words[i]).starts_with("--")) numbers.push_back(std::strtoull(words[i], nullptr, 10));
  if (numbers.empty() || numbers.size() > 2) {
    std::cerr << "usage: townd-sim [--seed] SEED [[--seeds] COUNT]\n";
    return 2;
  }
  const std::uint64_t first = numbers[0];
  const std::uint64_t count = numbers.size() > 1 ? numbers[1] : 1;
  const bool telling = std::getenv("TOWND_SIM_TELL") != nullptr;

  townd::sim::RuleCounts counts;
  long beads = 0, kills = 0, hours = 0, replayed = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const townd::sim::Verdict verdict = townd::sim::Simulation(seed, counts, telling).run();
    beads += verdict.beads;
    kills += verdict.kills;
    replayed += verdict.ticks_replayed;
    hours += verdict.simulated.ms / 3'600'000;
    if (verdict.failures.empty()) continue;
    std::cout << "seed " << seed << " failed:\n";
    for (const std::string& failure : verdict.failures) std::cout << "  " << failure << "\n";
    return 1;
  }

  std::cout << std::left << std::setw(28) << "rule" << std::right << std::setw(10) << "acted" << std::setw(10)
            << "waited" << std::setw(10) << "held\n";
  for (const townd::Rule& rule : townd::rules()) {
    const townd::sim::RuleCount& count_of = counts[std::string(rule.id)];
    std::cout << std::left << std::setw(28) << rule.id << std::right << std::setw(10) << count_of.acted << std::setw(10)
              << count_of.waited << std::setw(9) << count_of.held << "\n";
  }
  std::cout << count << " seeds from " << first << ": " << beads << " beads, " << kills << " kills, " << hours
            << " hours: all ended; " << replayed << " ticks decided again alike\n";
  return 0;
}
