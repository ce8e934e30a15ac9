#include "tests/workload/day30.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "engine/past.hpp"

namespace townd::workload {
namespace {

std::map<std::string, int> statuses(Day30& day) {
  std::map<std::string, int> found;
  day.engine().look(
      day.town,
      [&](const Engine::View& view) {
        for (const BeadId& id : view.town.bead_ids()) {
          const Bead& bead = *view.town.bead(id);
          if (bead.type == BeadType::issue || bead.type == BeadType::convoy)
            ++found[std::string(to_string(bead.type)) + " " + std::string(to_string(bead.status))];
        }
      },
      [] {});
  day.engine().step(day.now());
  return found;
}

/// A whole day: its work is done, nothing goes wrong that nobody wanted, and all of it is decided again alike.
TEST(Day30, IsDoneAndIsDecidedAgainAlike) {
  sim::Complaints complaints;
  sim::FakeStore store(complaints);
  Day30 day(store, complaints);
  const Instant begun = day.now();
  day.run(days(1));
  for (const std::string& complaint : complaints.all()) ADD_FAILURE() << complaint;
  const auto found = statuses(day);
  for (const auto& [name, count] : found) std::cout << count << " " << name << "\n";
  std::cout << day.runs << " runs, " << day.faults << " of them with a fault, at most " << day.most_at_work
            << " at once\n";
  EXPECT_GE(found.at("issue closed"), 550);
  EXPECT_GE(found.at("convoy closed"), 45);
  EXPECT_GE(day.most_at_work, Day30::kPolecats);
  EXPECT_NEAR(day.faults * 20.0 / day.runs, 1.0, 0.35);

  const auto snapshots = store.snapshots_of(day.town);
  EXPECT_GE(snapshots.size(), 24u);
  const auto past = run_past(store, day.town, {begun + minutes(1), day.now()});
  ASSERT_TRUE(past) << past.error().what;
  EXPECT_FALSE(past->rerun.first_difference) << past->rerun.first_difference->what;
  EXPECT_EQ(past->rerun.ticks, store.ticks_of(day.town).back().number - past->rerun.from_tick);
  std::cout << past->rerun.ticks << " ticks and " << past->rerun.events << " facts decided again\n";
}

TEST(Day30, IsTheSameDayForTheSameSeed) {
  const auto digest_of = [](std::uint64_t seed) {
    sim::Complaints complaints;
    sim::FakeStore store(complaints);
    Day30 day(store, complaints, seed);
    day.run(hours(2));
    return store.ticks_of(day.town).back().digest.hex();
  };
  EXPECT_EQ(digest_of(1), digest_of(1));
  EXPECT_NE(digest_of(1), digest_of(2));
}

}  // namespace
}  // namespace townd::workload
