#include <cstdlib>
#include <iostream>

#include "sim/random_town.hpp"

/// townd-digests [COUNT]: the digest of each of that many random towns at the end of its story. Whatever compiler and
/// options core was built with, the lines are the same: `make lint` compares them.
int main(int count_of_words, char** words) {
  const int count = count_of_words > 1 ? std::atoi(words[1]) : 100;
  constexpr int kMostBeads = 300;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(count); ++seed) {
    townd::sim::RandomTown story(seed, kMostBeads);
    int ticks = 0;
    for (; ticks < story.length(); ++ticks) {
      const townd::TickInput input = story.next();
      story.ticked(townd::tick(story.town(), input));
      story.town().settle();
    }
    std::cout << seed << " " << story.size() << " beads " << ticks << " ticks " << story.town().digest().hex() << "\n";
  }
  return 0;
}
