#include <cstdlib>
#include <fstream>
#include <iterator>

#include "codec/bundle.hpp"
#include "engine/past.hpp"
#include "node.hpp"

/// Towns that were stuck. What they went through is kept in tests/history as bundles, which every later townd must
/// decide as it was decided then; docs/debugging.md finds out from them what was wrong. `TOWND_RECORD_HISTORY=1
/// engine_test
/// --gtest_filter='Stuck*'` writes them anew.
namespace townd {
namespace {

using sim::Manner;

const std::string kHistory = HISTORY_FOLDER;

class Stuck : public Node {
 protected:
  Stuck() {
    clock.at = Instant{1'782'907'200'000};  // 2026-07-01T12:00:00Z
    rig = town_with_rig();
    run_for(seconds(1));
    begun = clock.at;
  }

  std::string give(const std::string& title) { return must(bead_in(rig, title)).created.front(); }

  /// Keeps what has happened where that is asked for, and in any case decides it again.
  void keep_as(const std::string& name) {
    auto bundle = bundle_of(store, town, {begun, clock.at});
    ASSERT_TRUE(bundle) << bundle.error().what;
    bundle->about = name;
    if (std::getenv("TOWND_RECORD_HISTORY") != nullptr)
      std::ofstream(kHistory + "/" + name + ".bundle", std::ios::binary) << write_bundle(*bundle);
    const auto past = run_past(store, town, {begun, clock.at});
    ASSERT_TRUE(past) << past.error().what;
    EXPECT_FALSE(past->rerun.first_difference);
  }

  [[nodiscard]] bool decided(std::string_view rule) const {
    for (const TickRecord& tick : told.ticks)
      for (const Decided& decided : tick.decisions)
        if (decided.rule == rule) return true;
    return false;
  }

  const TownId town{"town"};
  RigId rig;
  Instant begun;
};

TEST_F(Stuck, AnAgentWhoseContainerVanishedWhileItsRequestWasBeingReworked) {
  bool red = true;
  runtime.manner = [&](const AgentSpec& spec) {
    const bool first_review = spec.assignment.kind == RunKind::review && std::exchange(red, false);
    return first_review ? Manner::fails_gates : Manner::works;
  };
  const std::string bead = give("Write the parser");
  const auto reworks = [this] {
    for (const RunId& run : runtime.alive())
      if (const auto spec = runtime.spec(run); spec->assignment.bead && rework_class(*spec->assignment.bead))
        return true;
    return false;
  };
  ASSERT_TRUE(run_until(reworks));
  runtime.reboot();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  EXPECT_EQ(forge.landings().size(), 1u);
  keep_as("vanished_in_rework");
}

TEST_F(Stuck, ALandingThatNeverAnswers) {
  int silent = 100;
  forge.disturb_landing = [&](const LandSpec&) -> std::optional<expected<events::GitMergeResult>> {
    if (--silent < 0) return std::nullopt;
    return expected<events::GitMergeResult>(fail(Error::Code::unavailable, "the disk is slow"));
  };
  const std::string bead = give("Write the printer");
  ASSERT_FALSE(run_until([&] { return status_of(bead) == BeadStatus::closed; }, hours(3)));
  EXPECT_TRUE(decided("reviews.verify"));
  keep_as("landing_loop");
}

TEST_F(Stuck, AnAgentThatGaveNoSignOfLife) {
  bool silent = true;
  runtime.manner = [&](const AgentSpec&) { return std::exchange(silent, false) ? Manner::hangs : Manner::works; };
  const std::string bead = give("Write the reader");
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  EXPECT_TRUE(decided("agents.heartbeat_lost"));
  keep_as("lost_heartbeat");
}

TEST_F(Stuck, RunsThatAllCrash) {
  runtime.manner = [](const AgentSpec&) { return Manner::crashes; };
  for (const char* title : {"One", "Two", "Three", "Four", "Five", "Six"}) give(title);
  run_for(minutes(30));
  EXPECT_TRUE(read([&](const Engine::View& view) { return view.town.rig(rig)->breaker.opened_at.has_value(); }));
  const auto told_of_it =
      std::find_if(told.alarms.begin(), told.alarms.end(), [](const Alarm& alarm) { return alarm.kind == "breaker"; });
  ASSERT_NE(told_of_it, told.alarms.end());
  EXPECT_EQ(told_of_it->subject, rig.text) << "another rig's is another trouble";
  keep_as("all_crash");
}

TEST_F(Stuck, AConvoyWhoseChildFailed) {
  runtime.manner = [](const AgentSpec&) { return Manner::gives_up; };
  events::ConvoyCreated convoy;
  convoy.title = "The tables";
  convoy.on_failed_child = OnFailedChild::hold;
  convoy.beads.resize(2);
  convoy.beads[0].title = "Make the tables";
  convoy.beads[1].title = "Fill the tables";
  convoy.beads[1].after = {0};
  for (events::ConvoyBead& bead : convoy.beads) bead.body = "what is to be done", bead.rig_id = rig;
  const std::vector<std::string> made = must(std::move(convoy)).created;
  ASSERT_EQ(made.size(), 3u);
  ASSERT_TRUE(run_until([&] { return status_of(made[2]) == BeadStatus::failed; }));
  run_for(minutes(5));
  EXPECT_EQ(status_of(made[0]), BeadStatus::open);
  keep_as("failed_child");
}

class KeptHistory : public testing::TestWithParam<const char*> {
 protected:
  KeptHistory() {
    std::ifstream file(kHistory + "/" + GetParam() + ".bundle", std::ios::binary);
    bundle = read_bundle(std::string{std::istreambuf_iterator<char>(file), {}});
  }
  expected<Rerun> rerun(const std::vector<RecordedTick>& ticks, Variation variation = {}) const {
    const auto source = [&](std::int64_t after) -> expected<std::vector<RecordedTick>> {
      return after == bundle->start_tick ? ticks : std::vector<RecordedTick>{};
    };
    return run_again({bundle->start_tick, bundle->start_at, town_of(bundle->start)}, source,
                     {bundle->start_at, bundle->until}, std::move(variation));
  }
  expected<Bundle> bundle;
};

TEST_P(KeptHistory, IsDecidedAsItWasThen) {
  ASSERT_TRUE(bundle) << bundle.error().what;
  EXPECT_GE(bundle->ticks.size(), 8u);
  const auto again = rerun(bundle->ticks);
  ASSERT_TRUE(again) << again.error().what;
  for (const DifferingTick& tick : again->otherwise) ADD_FAILURE() << "tick " << tick.number << " is decided otherwise";
  EXPECT_EQ(again->ticks, static_cast<std::int64_t>(bundle->ticks.size()));
}

/// What a replay finds is at the tick whose record was altered, wherever that is.
TEST_P(KeptHistory, AnAlteredDecisionIsFoundAtItsTickAndNowhereElse) {
  ASSERT_TRUE(bundle) << bundle.error().what;
  for (std::size_t i = 0; i < bundle->ticks.size(); ++i) {
    if (bundle->ticks[i].record.decisions.empty()) continue;
    std::vector<RecordedTick> altered = bundle->ticks;
    altered[i].record.decisions.pop_back();
    const auto again = rerun(altered);
    ASSERT_TRUE(again) << again.error().what;
    ASSERT_EQ(again->otherwise.size(), 1u);
    EXPECT_EQ(again->otherwise.front().number, altered[i].record.number);
  }
}

INSTANTIATE_TEST_SUITE_P(Bundles, KeptHistory,
                         testing::Values("vanished_in_rework", "landing_loop", "lost_heartbeat", "all_crash",
                                         "failed_child"),
                         [](const auto& name) { return std::string(name.param); });

/// Another patience for silent agents.
class ChangedConstant : public testing::Test {
 protected:
  ChangedConstant() {
    std::ifstream file(kHistory + "/lost_heartbeat.bundle", std::ios::binary);
    bundle = read_bundle(std::string{std::istreambuf_iterator<char>(file), {}}).value();
    was = bundle.start.town.config.constants.heartbeat_stale;
  }
  expected<Rerun> with(const RerunStart& start, Duration heartbeat_stale) const {
    Variation variation;
    variation.change = [heartbeat_stale](Town& changed) {
      TownRow row = changed.row();
      row.config.constants.heartbeat_stale = heartbeat_stale;
      changed.put(std::move(row));
    };
    const auto source = [&](std::int64_t after) -> expected<std::vector<RecordedTick>> {
      std::vector<RecordedTick> behind = bundle.ticks;
      std::erase_if(behind, [after](const RecordedTick& tick) { return tick.record.number <= after; });
      return behind;
    };
    return run_again(start, source, {bundle.start_at, bundle.until}, std::move(variation));
  }
  expected<Rerun> with(Duration heartbeat_stale) const {
    return with({bundle.start_tick, bundle.start_at, town_of(bundle.start)}, heartbeat_stale);
  }

  Bundle bundle;
  Duration was;
};

/// The ticks that differ are the one that lost patience and what followed from it.
TEST_F(ChangedConstant, ShowsExactlyTheTicksThatItChanges) {
  const auto same = with(was);
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->differing.empty());
  const auto sooner = with(Duration{was.ms - 30'000});
  ASSERT_TRUE(sooner);
  ASSERT_FALSE(sooner->differing.empty());
  const DifferingTick& early = sooner->differing.front();
  EXPECT_EQ(early.number, 0) << "at this moment nothing was recorded";
  ASSERT_FALSE(early.instead.empty());
  EXPECT_TRUE(early.as_it_was.empty());
  bool lost_then = false;
  for (const DifferingTick& tick : sooner->differing)
    for (const Decided& decided : tick.as_it_was)
      if (decided.rule == early.instead.front().rule) {
        lost_then = true;
        EXPECT_EQ((tick.at - early.at).ms, seconds(30).ms) << "it was decided then, half a minute later";
      }
  EXPECT_TRUE(lost_then);
  for (const DecidedTick& tick : sooner->decided) {
    if (tick.at >= early.at) continue;
    for (const DifferingTick& differing : sooner->differing) EXPECT_NE(differing.number, tick.number);
  }
}

TEST_F(ChangedConstant, DecidesBeforeTheFirstRecordedTickToo) {
  const auto whole = with(Duration{was.ms - 30'000});
  ASSERT_TRUE(whole);
  const Instant lost = whole->differing.at(0).at;
  RerunStart later{bundle.start_tick, bundle.start_at, {}};
  Replay replay(town_of(bundle.start));
  for (const RecordedTick& tick : bundle.ticks) {
    if (tick.record.at >= lost) break;
    replay.next(tick);
    later.tick = tick.record.number;
    later.at = tick.record.at;
  }
  later.town = town_of(image_of(replay.town()));
  const auto rest = with(later, Duration{was.ms - 30'000});
  ASSERT_TRUE(rest) << rest.error().what;
  ASSERT_FALSE(rest->differing.empty());
  EXPECT_EQ(rest->differing.front().at, lost);
  EXPECT_EQ(rest->differing.front().instead, whole->differing.front().instead);
  const auto same = with(later, was);
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->differing.empty());
}

}  // namespace
}  // namespace townd
