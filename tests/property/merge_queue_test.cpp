#include "core/merge_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "sim/merge_lane.hpp"

/// The merge queue's decisions in front of made-up gates (sim/merge_lane): who lands, who is blamed, after how many
/// runs of the gates.
namespace townd::sim {
namespace {

constexpr Duration kGate = minutes(18);

void expect_sound(const MergeLane& lane) {
  for (const std::string& violation : lane.violations) ADD_FAILURE() << violation;
  EXPECT_EQ(lane.waiting(), lane.sent_back()) << "only what was sent back is still there";
}

TEST(MergeQueue, WorkThatPassesLandsTogetherAfterOneRunOfTheGates) {
  MergeLane lane(kGate, kBatchLimit);
  for (int i = 0; i < kBatchLimit; ++i) lane.hand_in(false);
  lane.run(days(1));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 32u);
  EXPECT_EQ(lane.gate_runs, 1);
}

class OneCulprit : public testing::TestWithParam<int> {};

TEST_P(OneCulprit, Among32IsFoundAndTheOthersLandInAtMost11Runs) {
  MergeLane lane(kGate, kBatchLimit);
  BeadId culprit;
  for (int i = 0; i < kBatchLimit; ++i) {
    const BeadId id = lane.hand_in(i == GetParam());
    if (i == GetParam()) culprit = id;
  }
  lane.run(days(2));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 31u);
  EXPECT_FALSE(lane.landed(culprit));
  EXPECT_EQ(lane.sent_back(), 1u);
  EXPECT_EQ(lane.town().review(culprit)->verdict, Verdict::changes);
  EXPECT_LE(lane.gate_runs, 11);
}
INSTANTIATE_TEST_SUITE_P(AtEachPlace, OneCulprit, testing::Range(0, 32));

TEST(MergeQueue, WhateverIsBrokenTheRestLandsAndOnlyTheBrokenIsSentBack) {
  int batches = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    MergeLane lane(minutes(1), random.between(1, kBatchLimit), seed);
    const int in_a_hundred = random.between(0, 60);
    std::vector<std::pair<BeadId, bool>> work;
    for (int i = random.between(1, 80); i > 0; --i) {
      const bool broken = random.between(1, 100) <= in_a_hundred;
      work.emplace_back(lane.hand_in(broken, static_cast<Priority>(random.between(0, 3))), broken);
    }
    lane.run(days(3));
    expect_sound(lane);
    batches += static_cast<int>(std::count_if(lane.sizes.begin(), lane.sizes.end(), [](auto n) { return n > 1; }));
    for (const auto& [id, broken] : work) {
      EXPECT_EQ(lane.landed(id), !broken) << "seed " << seed << ", " << id.text;
      EXPECT_EQ(lane.town().review(id)->verdict == Verdict::changes, broken) << "seed " << seed << ", " << id.text;
    }
  }
  EXPECT_GT(batches, 100);
}

TEST(MergeQueue, OfTwoThatPassAloneOnlyTheLaterIsBlamed) {
  MergeLane lane(kGate, kBatchLimit);
  std::vector<BeadId> work;
  for (int i = 0; i < 9; ++i) work.push_back(lane.hand_in(false));
  lane.at_odds(work[2], work[6]);
  lane.run(days(2));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 8u);
  EXPECT_FALSE(lane.landed(work[6]));
}

TEST(MergeQueue, AConflictHoldsNobodyUpAndIsSentBackOnceTheOtherHasLanded) {
  MergeLane lane(kGate, kBatchLimit);
  std::vector<BeadId> work;
  for (int i = 0; i < 8; ++i) work.push_back(lane.hand_in(false));
  lane.in_the_way(work[1], work[5]);
  lane.run(days(1));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 7u);
  EXPECT_EQ(lane.town().review(work[5])->verdict, Verdict::changes);
  EXPECT_EQ(lane.gate_runs, 1) << "what cannot be merged needs no gate";
}

TEST(MergeQueue, AFlakyGateIsRememberedAndBlamesNextToNobody) {
  MergeLane lane(minutes(5), kBatchLimit);
  lane.flakes = 5;
  for (int i = 0; i < 400; ++i) lane.hand_in(false);
  lane.run(days(20));
  expect_sound(lane);
  EXPECT_LE(lane.sent_back(), 4u) << "the gate fails for nothing once in twenty, and twice in a row once in 400";
  ASSERT_EQ(lane.queue().gates.size(), 1u);
  EXPECT_GT(lane.queue().gates.front().flakes, 0);
  EXPECT_TRUE(flaky(lane.queue().gates.front()));
}

TEST(MergeQueue, AGateThatFailsOnTheTargetItselfStopsTheQueueAndBlamesNobody) {
  MergeLane lane(minutes(5), kBatchLimit);
  lane.target_broken = true;
  std::vector<BeadId> work;
  for (int i = 0; i < 40; ++i) work.push_back(lane.hand_in(false));
  lane.run(hours(12));
  EXPECT_EQ(lane.landed(), 0u);
  EXPECT_EQ(lane.sent_back(), 0u);
  EXPECT_EQ(lane.queue().paused_reason, "the gate fails on main itself: make test");
  const int runs = lane.gate_runs;
  lane.run(hours(12));
  EXPECT_LE(lane.gate_runs - runs, 24 * 3) << "it looks twice an hour";
  lane.target_broken = false;
  lane.run(days(1));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 40u);
  EXPECT_FALSE(lane.queue().paused_since);
}

/// Three steps of priority are worth two hours each: whatever is handed in six hours later comes later.
TEST(MergeQueue, NothingThatIsHandedInSixHoursLaterOvertakesAnything) {
  MergeLane lane(minutes(10), 4);
  const BeadId modest = lane.hand_in(false, Priority::low);
  std::vector<BeadId> urgent;
  for (int i = 0; i < 30; ++i) urgent.push_back(lane.hand_in(false, Priority::critical));
  while (!lane.landed(modest) && lane.now() - lane.handed_in_at(modest) < days(2)) {
    for (int k = 0; k < 5; ++k) urgent.push_back(lane.hand_in(false, Priority::critical));  // faster than they land
    lane.run(minutes(10));
  }
  ASSERT_TRUE(lane.landed(modest));
  EXPECT_GT(lane.waiting(), 20u) << "there was always something more urgent";
  int overtook = 0;
  for (const BeadId& id : urgent) {
    if (!lane.landed(id) || lane.landed_at(id) >= lane.landed_at(modest)) continue;
    ++overtook;
    EXPECT_LE((lane.handed_in_at(id) - lane.handed_in_at(modest)).ms, hours(6).ms);
  }
  EXPECT_GT(overtook, 100);
}

TEST(MergeQueue, WorkThatIsTakenBackDuringItsTrialDoesNotLandAndTheOthersDo) {
  MergeLane lane(kGate, kBatchLimit);
  std::vector<BeadId> work;
  for (int i = 0; i < 6; ++i) work.push_back(lane.hand_in(false));
  lane.run(minutes(5));
  lane.cancel(work[3]);
  lane.run(days(1));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 5u);
  EXPECT_FALSE(lane.landed(work[3]));
  lane.hand_in(false);
  const BeadId first = lane.hand_in(false);
  lane.run(minutes(5));
  lane.cancel(first);
  lane.run(days(1));
  EXPECT_EQ(lane.landed(), 6u);
}

TEST(MergeQueue, OneThatNoTrialSurvivesKeepsNobodyFromTheTarget) {
  MergeLane lane(minutes(5), kBatchLimit);
  std::vector<BeadId> work;
  for (int i = 0; i < 12; ++i) work.push_back(lane.hand_in(false));
  lane.poison(work[7]);
  lane.run(days(2));
  EXPECT_EQ(lane.landed(), 11u);
  EXPECT_TRUE(lane.violations.empty());
  EXPECT_EQ(lane.town().bead(work[7])->status, BeadStatus::failed) << "its attempts are spent";
}

TEST(MergeQueue, OneWhoseLandingWaitsForAPersonKeepsNobodyElseWaiting) {
  MergeLane lane(minutes(5), kBatchLimit);
  std::vector<BeadId> work;
  for (int i = 0; i < 12; ++i) work.push_back(lane.hand_in(false));
  lane.wants_a_person(work[7]);
  lane.run(days(1));
  EXPECT_EQ(lane.landed(), 11u);
  EXPECT_TRUE(lane.violations.empty());
  EXPECT_TRUE(lane.town().review(work[7])->held_alone);
}

TEST(MergeQueue, ATargetThatMovesMeanwhileMeansAnotherTrialAndNobodyIsBlamed) {
  MergeLane lane(kGate, kBatchLimit);
  for (int i = 0; i < 6; ++i) lane.hand_in(false);
  lane.run(minutes(5));
  lane.push_behind_our_back();
  lane.run(days(1));
  expect_sound(lane);
  EXPECT_EQ(lane.landed(), 6u);
  EXPECT_EQ(lane.sent_back(), 0u);
  EXPECT_EQ(lane.trials, 2);
}

TEST(MergeQueue, ATargetThatNeverRestsPausesTheQueueWithAReason) {
  MergeLane lane(minutes(1), kBatchLimit);
  lane.hand_in(false);
  for (int i = 0; i < 60 && !lane.queue().paused_since; ++i) {
    lane.run(seconds(30));
    lane.push_behind_our_back();
  }
  EXPECT_EQ(lane.queue().paused_reason, std::to_string(kFruitlessTrials) + " trials in a row landed nothing on main");
  lane.run(days(1));
  EXPECT_EQ(lane.landed(), 1u);
}

/// Landings in an hour when there is always more to do, and one in fifty breaks the gates.
double landings_an_hour(int most) {
  double sum = 0;
  constexpr int kSeeds = 8;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    MergeLane lane(kGate, most, seed);
    constexpr int kHours = 48;
    for (int i = 0; i < 40 * kHours; ++i) lane.hand_in(random.one_in(50));
    lane.run(hours(kHours));
    sum += static_cast<double>(lane.landed()) / kHours;
  }
  return sum / kSeeds;
}

TEST(MergeQueue, AtTwoPercentFailuresTwentyLandInAnHour) {
  const double together = landings_an_hour(kBatchLimit), one_by_one = landings_an_hour(1);
  std::cout << together << " an hour; one by one " << one_by_one << "\n";
  EXPECT_GE(together, 20);
  EXPECT_LE(one_by_one, 3.4);
}

/// A queue that knows that its gates take long, with room for two runs of them.
class TriedAhead : public testing::Test {
 protected:
  TriedAhead() {
    lane.lanes = 2;
    lane.hand_in(false);
    lane.run(days(1));
  }
  /// Two batches of four; the second is under way on top of the first.
  void hand_in_two_batches(int broken = -1) {
    for (int i = 0; i < 8; ++i) work.push_back(lane.hand_in(i == broken));
    lane.run(minutes(5));
    ASSERT_EQ(lane.trials_ahead, 1);
  }
  void expect_landed(const std::vector<int>& but = {}) {
    expect_sound(lane);
    for (int i = 0; i < static_cast<int>(work.size()); ++i)
      EXPECT_EQ(lane.landed(work[static_cast<std::size_t>(i)]), std::count(but.begin(), but.end(), i) == 0) << i;
  }
  MergeLane lane{kGate, 4};
  std::vector<BeadId> work;
};

TEST_F(TriedAhead, TheNextBatchLandsWithoutAnotherRunOfTheGates) {
  const int runs = lane.gate_runs;
  hand_in_two_batches();
  lane.run(days(1));
  expect_landed();
  EXPECT_EQ(lane.gate_runs - runs, 2);
  EXPECT_LT(lane.landed_at(work[7]) - lane.handed_in_at(work[7]), kGate + minutes(2));
  EXPECT_LE(lane.landed_at(work[0]), lane.landed_at(work[7]));
}

TEST_F(TriedAhead, IsCalledOffWhenTheFirstIsRedAndNobodyInItIsBlamed) {
  hand_in_two_batches(2);
  lane.run(days(1));
  expect_landed({2});
  EXPECT_EQ(lane.sent_back(), 1u);
}

TEST_F(TriedAhead, ItsOwnCulpritIsFoundOnceTheFirstHasLanded) {
  hand_in_two_batches(6);
  lane.run(days(1));
  expect_landed({6});
  EXPECT_EQ(lane.sent_back(), 1u);
}

TEST_F(TriedAhead, IsCalledOffWhenWorkOfTheFirstIsTakenBack) {
  hand_in_two_batches();
  lane.cancel(work[1]);
  lane.run(days(1));
  expect_landed({1});
  EXPECT_EQ(lane.sent_back(), 0u);
}

TEST_F(TriedAhead, IsCalledOffWhenWorkOfTheFirstIsDeleted) {
  hand_in_two_batches();
  lane.remove(work[2]);
  lane.run(days(1));
  expect_landed({2});
}

TEST_F(TriedAhead, WorkOfItsOwnThatIsTakenBackLeavesTheFirstAlone) {
  hand_in_two_batches();
  lane.cancel(work[4]);
  lane.run(days(1));
  expect_landed({4});
}

TEST_F(TriedAhead, StandsOnNothingWhenTheTargetMovesAndIsTriedAgain) {
  hand_in_two_batches();
  lane.push_behind_our_back();
  lane.run(days(1));
  expect_landed();
  EXPECT_EQ(lane.sent_back(), 0u);
}

TEST_F(TriedAhead, LeavesOutWhatConflictsWithTheFirst) {
  for (int i = 0; i < 8; ++i) work.push_back(lane.hand_in(false));
  lane.in_the_way(work[0], work[5]);
  lane.run(days(1));
  expect_landed({5});
  EXPECT_EQ(lane.sent_back(), 1u);
}

TEST_F(TriedAhead, IsNotDoneForShortGatesNorForWorkThatIsTriedByItself) {
  MergeLane quick(seconds(20), 4), alone(kGate, 1);
  for (MergeLane* other : {&quick, &alone}) {
    other->lanes = 2;
    for (int i = 0; i < 20; ++i) other->hand_in(false);
    other->run(days(2));
    expect_sound(*other);
    EXPECT_EQ(other->landed(), 20u);
    EXPECT_EQ(other->trials_ahead, 0);
  }
}

TEST(MergeQueue, TriedAheadOrNotTheSameLandsAndTheSameIsSentBack) {
  int ahead = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    MergeLane lane(kGate, random.between(2, kBatchLimit), seed);
    lane.lanes = random.between(1, 2);
    const int in_a_hundred = random.between(0, 20);
    std::vector<std::pair<BeadId, bool>> work;
    for (int rounds = 12; rounds > 0; --rounds) {
      for (int i = random.between(0, 20); i > 0; --i) {
        const bool broken = random.between(1, 100) <= in_a_hundred;
        work.emplace_back(lane.hand_in(broken, static_cast<Priority>(random.between(0, 3))), broken);
        if (random.one_in(20)) lane.in_the_way(work[work.size() / 2].first, work.back().first);
      }
      lane.run(minutes(random.between(1, 60)));
      if (random.one_in(4)) lane.push_behind_our_back();
    }
    lane.run(days(10));  // before what has ended is archived
    expect_sound(lane);
    for (const auto& [id, broken] : work)
      EXPECT_EQ(lane.landed(id), lane.town().review(id)->verdict != Verdict::changes) << "seed " << seed;
    for (const auto& [id, broken] : work) EXPECT_FALSE(broken && lane.landed(id)) << "seed " << seed;
    ahead += lane.trials_ahead;
  }
  std::cout << ahead << " trials on top of another\n";
  EXPECT_GT(ahead, 60);
}

TEST(MergeQueue, WhatACodingAgentApprovesOfIsTriedTogetherAndItsWordAloneLandsNothing) {
  MergeLane lane(kGate, kBatchLimit);
  lane.review_first();
  lane.reviewers_lie = true;
  std::vector<BeadId> work;
  for (int i = 0; i < 8; ++i) work.push_back(lane.hand_in(i == 5));
  lane.dislike(work[2]);
  lane.run(days(2));
  expect_sound(lane);
  for (std::size_t i = 0; i < work.size(); ++i) EXPECT_EQ(lane.landed(work[i]), i != 2 && i != 5) << i;
  EXPECT_EQ(lane.reviews, 8) << "each is read once, also those that were in a red trial";
  EXPECT_EQ(lane.sizes.front(), 7u) << "all that was handed in at that time is read before it is tried";
  EXPECT_EQ(lane.sent_back(), 2u);
}

TEST(MergeQueue, WhatWasReadWaitsAnHourAtMostForWhatCameLater) {
  MergeLane lane(minutes(1), kBatchLimit);
  lane.review_first();
  const BeadId first = lane.hand_in(false);
  for (int i = 0; i < 40; ++i) {  // there is always something to read
    lane.run(minutes(9));
    lane.dislike(lane.hand_in(false));
  }
  lane.run(days(2));
  expect_sound(lane);
  EXPECT_LT(lane.landed_at(first) - lane.handed_in_at(first), hours(2));
}

TEST(BatchSize, FollowsTheRateOfCulprits) {
  const auto at = [](int tried, int culprits) {
    MergeQueue queue;
    queue.tried = tried;
    queue.culprits = culprits;
    return batch_size(queue);
  };
  EXPECT_EQ(at(0, 0), 32);
  EXPECT_EQ(at(250, 5), 32);
  EXPECT_EQ(at(250, 30), 8);
  EXPECT_EQ(at(250, 200), 1);
}

}  // namespace
}  // namespace townd::sim
