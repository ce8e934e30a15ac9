#include "engine/slots.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "sim/random.hpp"

namespace townd {
namespace {

using Shares = std::vector<int>;

TEST(Slots, OneTownHasTheWholeNode) { EXPECT_EQ(share_out({{0, 0, 9, 0, true}}, 4), Shares{4}); }

TEST(Slots, WhoCanUseThemGetsThem) {
  EXPECT_EQ(share_out({{2, 0, 0, 1, true}, {2, 2, 4, 2, true}}, 4), (Shares{0, 4}));
}

TEST(Slots, TwoBusyTownsHaveHalfEachAsAgentsEnd) {
  // The first occupies three of its four; one is free to go.
  EXPECT_EQ(share_out({{4, 3, 9, 1, true}, {0, 0, 9, 0, true}}, 4), (Shares{3, 1}));
  EXPECT_EQ(share_out({{4, 0, 9, 1, true}, {0, 0, 9, 0, true}}, 4), (Shares{2, 2}));
}

TEST(Slots, NothingMovesWhileNobodyLacksAny) {
  EXPECT_EQ(share_out({{1, 1, 1, 1, true}, {3, 0, 2, 2, true}}, 4), (Shares{1, 3}));
}

TEST(Slots, MoreTownsThanAgentsTakeTurns) {
  // Three towns with work, one agent. Each round the holder's run ends.
  std::vector<SlotUse> towns = {{1, 0, 5, 1, true}, {0, 0, 5, 0, true}, {0, 0, 5, 0, true}};
  std::vector<int> held(3, 0);
  for (std::int64_t round = 2; round < 11; ++round) {
    const Shares shares = share_out(towns, 1);
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), 0), 1);
    for (std::size_t i = 0; i < 3; ++i) {
      if (shares[i] > towns[i].granted) {
        towns[i].last_given = round;
        ++held[i];
      }
      towns[i].granted = shares[i];
      towns[i].used = true;
    }
  }
  EXPECT_EQ(held, (std::vector<int>{3, 3, 3}));
}

TEST(Slots, WhatWasJustGivenIsNotTakenBackUnused) {
  EXPECT_EQ(share_out({{1, 0, 5, 2, false}, {0, 0, 5, 1, true}}, 1), (Shares{1, 0}));
}

TEST(Slots, SharesNeverExceedTheNodeNorFallBelowWhatIsOccupied) {
  sim::Random random(3);
  for (int i = 0; i < 5'000; ++i) {
    const int total = random.between(1, 8);
    std::vector<SlotUse> towns;
    int occupied = 0;
    for (int n = random.between(1, 6); n > 0; --n) {
      SlotUse town;
      town.taken = random.between(0, std::max(0, total - occupied));
      occupied += town.taken;
      town.granted = town.taken + random.between(0, 3);
      town.wanted = town.taken + random.between(0, 4);
      town.last_given = random.between(0, 9);
      town.used = random.one_in(2);
      towns.push_back(town);
    }
    const Shares shares = share_out(towns, total);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), 0), total);
    for (std::size_t t = 0; t < towns.size(); ++t) EXPECT_GE(shares[t], towns[t].taken);
  }
}

}  // namespace
}  // namespace townd
