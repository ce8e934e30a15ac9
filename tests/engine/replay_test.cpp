#include <limits>

#include "engine/past.hpp"
#include "node.hpp"

namespace townd {
namespace {

/// A bead from its wish to its landing, as the store remembers it.
class ReplayTest : public Node {
 protected:
  ReplayTest() {
    const RigId rig = rig_ = town_with_rig();
    TownConfig config = read([](const Engine::View& view) { return view.town.config(); });
    config.runs_per_day = 77;
    ++config.version;
    must(events::ConfigChanged{config});
    bead = must(bead_in(rig, "the wish")).created.front();
    EXPECT_TRUE(run_until([this] { return status_of(bead) == BeadStatus::closed; }));
    run_for(minutes(3));
    start_of = store.snapshots_of(town).begin()->second;
    const auto all = store.recorded(town, start_of.tick, std::numeric_limits<int>::max());
    ticks = all.value();
  }

  expected<Rerun> rerun(Variation variation = {}) {
    const auto source = [this](std::int64_t after) -> expected<std::vector<RecordedTick>> {
      std::vector<RecordedTick> page;
      for (const RecordedTick& tick : ticks)
        if (tick.record.number > after && page.size() < 5) page.push_back(tick);
      return page;
    };
    return run_again({start_of.tick, start_of.at, town_of(start_of.image)}, source, {start_of.at, clock.at},
                     std::move(variation));
  }

  /// Alters the first tick for which `alter` finds something to alter, and expects it to be found there.
  void expect_found(const std::function<bool(RecordedTick&)>& alter) {
    for (RecordedTick& tick : ticks) {
      if (!alter(tick)) continue;
      const auto again = rerun();
      ASSERT_TRUE(again) << again.error().what;
      ASSERT_TRUE(again->first_difference);
      EXPECT_EQ(again->first_difference->recorded.number, tick.record.number);
      return;
    }
    FAIL() << "there was nothing to alter";
  }

  const TownId town{"town"};
  RigId rig_;
  std::string bead;
  KeptSnapshot start_of;
  std::vector<RecordedTick> ticks;
};

TEST_F(ReplayTest, DecidesTheSameFromTheFirstSnapshotOn) {
  const auto again = rerun();
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_FALSE(again->first_difference) << again->first_difference->what;
  EXPECT_EQ(again->ticks, static_cast<std::int64_t>(ticks.size()));
  EXPECT_GT(again->events, 5);
  EXPECT_FALSE(again->decided.empty());
  EXPECT_EQ(again->town.bead(BeadId(bead))->status, BeadStatus::closed);
  EXPECT_EQ(Town(again->town).digest(), read([](const Engine::View& view) { return Town(view.town).digest(); }));
}

TEST_F(ReplayTest, FindsAFlippedLetterOfAFact) {
  expect_found([](RecordedTick& tick) {
    for (Event& event : tick.events)
      if (auto* wish = std::get_if<events::BeadCreated>(&event.body)) {
        wish->title[0] ^= 1;
        return true;
      }
    return false;
  });
}

TEST_F(ReplayTest, FindsAFlippedBitOfASignOfLife) {
  expect_found([](RecordedTick& tick) {
    if (tick.record.life.empty()) return false;
    tick.record.life.front().at.ms ^= 1;
    return true;
  });
}

TEST_F(ReplayTest, FindsAnAlteredSetting) {
  expect_found([](RecordedTick& tick) {
    for (Event& event : tick.events)
      if (auto* change = std::get_if<events::ConfigChanged>(&event.body)) {
        change->config.runs_per_day ^= 1;
        return true;
      }
    return false;
  });
}

/// A replay that took its decisions from the record would not see it.
TEST_F(ReplayTest, FindsADecisionThatTheRecordHasNot) {
  expect_found([](RecordedTick& tick) {
    if (tick.record.decisions.empty()) return false;
    tick.record.decisions.pop_back();
    return true;
  });
}

TEST_F(ReplayTest, FindsAnotherTimeOfATick) {
  expect_found([](RecordedTick& tick) {
    if (tick.record.decisions.empty()) return false;
    tick.record.at.ms += 1;
    return true;
  });
}

/// The daemon checks itself: a share of what led to each snapshot is decided again.
TEST_F(ReplayTest, ATickThatIsDecidedOtherwiseIsFoundByTheSelfCheck) {
  const std::int64_t altered = store.ticks_of(town).back().number;
  store.alter_tick = [altered](TickRecord& record) {
    if (record.number == altered) record.digest = {};
  };
  const std::size_t snapshots = store.snapshots_of(town).size();
  run_for(hours(1));
  must(bead_in(rig_, "another"));
  run_for(minutes(10));
  EXPECT_GT(store.snapshots_of(town).size(), snapshots);
  EXPECT_EQ(told.differing, std::vector<std::int64_t>{altered});
}

TEST_F(ReplayTest, SaysWhichTicksAreMissing) {
  ASSERT_GT(ticks.size(), 6u);
  ticks.erase(ticks.begin() + 3);
  const auto again = rerun();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Error::Code::not_found);
}

TEST_F(ReplayTest, ShowsWhatIsDecidedWithoutARule) {
  Variation variation;
  variation.without_rules = {"beads.assign"};
  const auto again = rerun(std::move(variation));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_FALSE(again->first_difference);
  ASSERT_TRUE(again->instead);
  EXPECT_EQ(again->instead->bead(BeadId(bead))->status, BeadStatus::open);
  EXPECT_EQ(again->town.bead(BeadId(bead))->status, BeadStatus::closed);
  ASSERT_FALSE(again->differing.empty());
  EXPECT_EQ(again->differing.front().as_it_was.front().rule, "beads.assign");
  EXPECT_TRUE(again->differing.front().instead.empty());
}

TEST_F(ReplayTest, ShowsWhatIsDecidedWithoutAFact) {
  Variation variation;
  for (const RecordedTick& tick : ticks)
    for (const Event& event : tick.events)
      if (std::holds_alternative<events::BeadCreated>(event.body)) variation.dropped.insert(event.seq);
  ASSERT_EQ(variation.dropped.size(), 1u);
  const auto again = rerun(std::move(variation));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->instead->bead(BeadId(bead)), nullptr);
}

TEST_F(ReplayTest, ASettingThatChangesNothingDecidesTheSame) {
  Variation variation;
  variation.change = [](Town& changed) {
    TownRow row = changed.row();
    row.config.max_polecats += 1;
    changed.put(std::move(row));
  };
  const auto again = rerun(std::move(variation));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_TRUE(again->differing.empty());
}

TEST_F(ReplayTest, RunsFromTheStoreWithoutDisturbingTheTown) {
  const int commits = store.commits();
  const auto past = run_past(store, town, {start_of.at + Duration{1}, clock.at});
  ASSERT_TRUE(past) << past.error().what;
  EXPECT_FALSE(past->rerun.first_difference);
  EXPECT_EQ(store.commits(), commits);
  const auto before = run_past(store, town, {Instant{1}, Instant{2}});
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().code, Error::Code::not_found);
}

TEST_F(ReplayTest, ASnapshotIsKeptEachHourInWhichSomethingHappens) {
  const std::size_t before = store.snapshots_of(town).size();
  run_for(hours(2));
  EXPECT_EQ(store.snapshots_of(town).size(), before) << "nothing has happened";
  must(events::TownPaused{});
  EXPECT_EQ(store.snapshots_of(town).size(), before + 1);
}

TEST_F(ReplayTest, ASnapshotThatFailsIsToldAndTriedAgain) {
  run_for(hours(2));
  store.fail_loads = 1;
  must(events::TownPaused{});
  EXPECT_EQ(told.alerts_of("snapshot_failed"), 1);
  const std::size_t before = store.snapshots_of(town).size();
  run_for(minutes(11));
  must(events::TownResumed{});
  EXPECT_EQ(store.snapshots_of(town).size(), before + 1);
  EXPECT_EQ(told.alerts_of("snapshot_failed"), 1);
}

}  // namespace
}  // namespace townd
