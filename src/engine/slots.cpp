#include "engine/slots.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>
#include <utility>

namespace townd {
namespace {

/// One sharing-out under way.
struct Sharing {
  const std::vector<SlotUse>& towns;
  int total;
  std::vector<int> shares;
  /// Whoever gave one is not served in the same sharing, and whoever was served gives none, or shares would run in
  /// circles.
  std::vector<bool> gave;
  std::vector<bool> got;

  [[nodiscard]] int left_over() const { return total - std::accumulate(shares.begin(), shares.end(), 0); }

  /// Who lacks one with the smallest share, and has waited longest among those; the size when nobody lacks one.
  [[nodiscard]] std::size_t poorest() const {
    std::size_t found = shares.size();
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (towns[i].wanted <= shares[i] || gave[i]) continue;
      if (found == shares.size() ||
          std::tuple(shares[i], towns[i].last_given) < std::tuple(shares[found], towns[found].last_given))
        found = i;
    }
    return found;
  }

  /// Who has most above what `keeps` says; the size when nobody has.
  template <class Keeps>
  [[nodiscard]] std::size_t richest(Keeps keeps) const {
    std::size_t found = shares.size();
    int most = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const int spare = shares[i] - keeps(towns[i]);
      if (spare <= most || got[i]) continue;
      most = spare;
      found = i;
    }
    return found;
  }

  /// Moves one share to the town at `needy`; false when there is none to move.
  bool serve(std::size_t needy) {
    if (left_over() <= 0) {
      const int fair = total / static_cast<int>(towns.size());
      std::size_t giver = richest([](const SlotUse& t) { return std::max(t.taken, t.wanted); });
      if (giver == shares.size() && shares[needy] < fair)
        giver = richest([&](const SlotUse& t) { return std::max(t.taken, fair); });
      // More towns than agents: they take turns.
      if (giver == shares.size() && shares[needy] == 0)
        giver = richest([](const SlotUse& t) { return t.used ? t.taken : t.granted; });
      if (giver == shares.size()) return false;
      --shares[giver];
      gave[giver] = true;
    }
    ++shares[needy];
    got[needy] = true;
    return true;
  }
};

}  // namespace

std::vector<int> share_out(const std::vector<SlotUse>& towns, int total) {
  const std::vector<bool> none(towns.size(), false);
  Sharing sharing{towns, total, {}, none, none};
  for (const SlotUse& town : towns) sharing.shares.push_back(std::max(town.granted, town.taken));
  if (towns.empty()) return {};

  // A smaller node than before takes back what is not occupied.
  while (sharing.left_over() < 0) {
    const std::size_t giver = sharing.richest([](const SlotUse& t) { return t.taken; });
    if (giver == towns.size()) break;
    --sharing.shares[giver];
  }
  // Each town is served as often as it lacks at most; the bound only ends what a fault would make endless.
  for (std::size_t served = 0; served < towns.size() + static_cast<std::size_t>(std::max(total, 0)); ++served) {
    const std::size_t needy = sharing.poorest();
    if (needy == towns.size() || !sharing.serve(needy)) break;
  }
  // What nobody asks for is spread, so that a quiet town can start its next work at once.
  using Share = std::pair<int, std::size_t>;  // and whose it is
  std::priority_queue<Share, std::vector<Share>, std::greater<>> smallest;
  const int left_over = sharing.left_over();
  for (std::size_t i = 0; left_over > 0 && i < towns.size(); ++i) smallest.emplace(sharing.shares[i], i);
  for (int left = left_over; left > 0; --left) {
    const auto [share, whose] = smallest.top();
    smallest.pop();
    smallest.emplace(sharing.shares[whose] = share + 1, whose);
  }
  return sharing.shares;
}

}  // namespace townd
