#include "observe/metrics.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <numeric>
#include <set>
#include <sstream>
#include <thread>

#include "engine/node.hpp"
#include "observe/observers.hpp"
#include "observe/rule_actions.hpp"
#include "sim/random_town.hpp"

namespace townd {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// `name{labels}` → value, as a scrape shows them.
std::map<std::string, double> scrape(Metrics& metrics) {
  std::map<std::string, double> values;
  std::istringstream lines(metrics.text({0.25, 0.5, {}, {}}));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(values.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second) << "twice: " << line;
  }
  return values;
}

/// The sum of all series whose text begins so and has this in it.
double sum(const std::map<std::string, double>& values, const std::string& begin, const std::string& has = {}) {
  double total = 0;
  for (const auto& [series, value] : values)
    if (series.starts_with(begin) && series.find(has) != std::string::npos) total += value;
  return total;
}

class MetricsTest : public Node {
 protected:
  MetricsTest() {
    kill();
    watching = &both;
    start();
  }
  /// As `GET /metrics` does.
  std::map<std::string, double> asked() {
    for (const TownId& town : metrics.unread())
      engine->look(
          town,
          [this](const Engine::View& view) { metrics.read(view.town, view.pending_events, view.effects_in_doubt); },
          [] {});
    step();
    return scrape(metrics);
  }
  [[nodiscard]] double value(const std::string& series) {
    const auto values = asked();
    const auto found = values.find(series);
    if (found == values.end()) ADD_FAILURE() << "there is no " << series;
    return found == values.end() ? -1 : found->second;
  }

  Metrics metrics{{50, "1.2.3", {"bead.create"}}, clock};
  Observers both{&told, &metrics};
};

TEST_F(MetricsTest, EveryCounterBeginsAtZeroWithAllValuesOfItsLabels) {
  town_with_rig();
  const auto values = asked();
  for (const RuleAction& pair : rule_actions())
    EXPECT_TRUE(values.contains("townd_reconciler_actions_total{rule=\"" + std::string(pair.rule) +
                                "\",town=\"town\",type=\"" + std::string(pair.action) + "\"}"))
        << pair.rule << " " << pair.action;
  EXPECT_EQ(sum(values, "townd_reconciler_actions_total"), 0);
  for (int invariant = 1; invariant <= 13; ++invariant)
    EXPECT_TRUE(values.contains("townd_invariant_violations_total{invariant=\"" + std::to_string(invariant) +
                                "\",town=\"town\"}"));
  EXPECT_TRUE(values.contains(R"(townd_http_requests_total{operation="bead.create",status="5xx"})"));
  EXPECT_TRUE(values.contains(R"(townd_runs_ended_total{outcome="rate_limited",town="town"})"));
  EXPECT_EQ(values.at(R"(townd_build_info{version="1.2.3"})"), 1);
  EXPECT_EQ(values.at("townd_disk_used_ratio"), 0.25);
  EXPECT_EQ(values.at("townd_log_used_ratio"), 0.5);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(values.at("process_open_fds"), 2);
  EXPECT_GT(values.at("process_start_time_seconds"), 1.6e9);
}

/// The page and the program name the same metrics.
TEST_F(MetricsTest, ThePageNamesWhatThereIsAndNothingElse) {
  town_with_rig();
  metrics.committed(1, 0.001);
  asked();
  std::set<std::string> shown, named;
  NodeReadings readings;
  readings.hosts = {{"github.com", "graphql", 3, 5000, 4990}};
  std::istringstream lines(metrics.text(readings));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("# TYPE ")) shown.insert(line.substr(7, line.find(' ', 7) - 7));
  std::ifstream page(TOWND_SOURCE "/docs/metrics.md");
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) continue;
    for (std::size_t at = line.find('`'); at < line.find(" | ", 2); at = line.find('`', at + 1)) {
      const std::size_t end = line.find('`', at + 1);
      named.insert(line.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  EXPECT_THAT(named, testing::Not(IsEmpty()));
  EXPECT_EQ(shown, named);
}

TEST_F(MetricsTest, CallsToForgesAreCountedOnceAndWhatIsLeftIsShown) {
  NodeReadings readings;
  readings.hosts = {{"github.com", "core", 3, 5000, 4997}, {"git.example", "", 7, 0, 0}};
  metrics.text(readings);
  readings.hosts[0].made = 5;
  readings.hosts[0].left = 12;
  const std::string text = metrics.text(readings);
  EXPECT_THAT(text, testing::HasSubstr(R"(townd_forge_calls_total{host="github.com",resource="core"} 5)"));
  EXPECT_THAT(text, testing::HasSubstr(R"(townd_forge_calls_left{host="github.com",resource="core"} 12)"));
  EXPECT_THAT(text, testing::HasSubstr(R"(townd_forge_calls_total{host="git.example",resource=""} 7)"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(R"(townd_forge_calls_left{host="git.example")")))
      << "it does not tell";
}

/// Nine values of each tick, told twice: by the records of the ticks and by the counters.
TEST_F(MetricsTest, WhatIsCountedIsExactlyWhatTheTicksSayTheyDid) {
  const RigId rig = town_with_rig();
  std::vector<std::string> beads;
  for (int i = 0; i < 12; ++i) beads.push_back(must(bead_in(rig)).created.front());
  ASSERT_TRUE(run_until([&] {
    return std::all_of(beads.begin(), beads.end(), [&](const std::string& id) { return terminal(status_of(id)); });
  }));
  run_for(minutes(3));
  const auto values = asked();
  std::map<std::string, double> actions;
  double events = 0, attempted = 0, succeeded = 0, failed = 0, violations = 0;
  for (const TickRecord& tick : told.ticks) {
    events += static_cast<double>(tick.events.size());
    attempted += static_cast<double>(tick.effects.size());
    succeeded += tick.effects_succeeded;
    failed += tick.effects_failed;
    violations += static_cast<double>(tick.violations.size());
    for (const Decided& decided : tick.decisions)
      if (decided.fate == ActionFate::applied)
        for (const ActionBody& action : decided.actions)
          ++actions["townd_reconciler_actions_total{rule=\"" + std::string(decided.rule) + "\",town=\"town\",type=\"" +
                    std::string(action_type(action)) + "\"}"];
  }
  EXPECT_GT(actions.size(), 4U);
  for (const auto& [series, count] : actions) EXPECT_EQ(values.at(series), count) << series;
  EXPECT_EQ(sum(values, "townd_reconciler_actions_total"),
            std::accumulate(actions.begin(), actions.end(), 0.0,
                            [](double total, const auto& entry) { return total + entry.second; }));
  EXPECT_EQ(values.at(R"(townd_reconciler_events_drained_total{town="town"})"), events);
  EXPECT_EQ(sum(values, "townd_side_effects_total", "outcome=\"attempted\""), attempted);
  EXPECT_EQ(sum(values, "townd_side_effects_total", "outcome=\"failed\""), failed);
  // Outcomes that came with no tick are counted too.
  EXPECT_GE(sum(values, "townd_side_effects_total", "outcome=\"succeeded\""), succeeded);
  EXPECT_EQ(sum(values, "townd_side_effects_total", "outcome=\"succeeded\"") +
                sum(values, "townd_side_effects_total", "outcome=\"failed\""),
            attempted);
  EXPECT_EQ(sum(values, "townd_invariant_violations_total"), violations);
  EXPECT_GE(sum(values, "townd_reconciler_ticks_total"), static_cast<double>(told.ticks.size()));
  EXPECT_EQ(sum(values, "townd_reconciler_ticks_total"), sum(values, "townd_reconciler_tick_seconds_count"));

  EXPECT_EQ(values.at(R"(townd_beads{status="closed",town="town",type="issue"})"), 12);
  EXPECT_EQ(values.at(R"(townd_reviews_ended_total{result="merged",town="town"})"), 12);
  EXPECT_GE(values.at(R"(townd_trials_total{outcome="green",town="town"})"), 1);
  EXPECT_GE(values.at(R"(townd_runs_ended_total{outcome="done",town="town"})"), 13);
  EXPECT_EQ(values.at(R"(townd_dispatches_total{outcome="started",town="town"})"),
            sum(values, "townd_runs_ended_total"));
  EXPECT_EQ(values.at(R"(townd_dispatches_total{outcome="failed",town="town"})"), 0);
  EXPECT_EQ(values.at(R"(townd_ready_wait_seconds_count{town="town"})"), 12);
  EXPECT_EQ(values.at(R"(townd_live_runs{town="town"})"), 0);
  EXPECT_EQ(values.at(R"(townd_merge_queue_depth{rig="rig",town="town"})"), 0);
  EXPECT_EQ(values.at(R"(townd_merge_queue_head_seconds{rig="rig",town="town"})"), 0);
}

TEST_F(MetricsTest, AgesGrowWhileNothingHappensAndAreZeroWhenNothingWaits) {
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  options.max_agents = 1;
  kill();
  start();
  const RigId rig = town_with_rig();
  EXPECT_EQ(value(R"(townd_ready_head_seconds{rig="rig",town="town"})"), 0);
  EXPECT_EQ(value(R"(townd_silent_seconds{town="town"})"), 0);
  must(bead_in(rig, "runs"));
  must(bead_in(rig, "waits"));
  ASSERT_TRUE(run_until([&] { return live_runs() == 1; }, minutes(1)));
  EXPECT_EQ(value(R"(townd_ready_beads{rig="rig",town="town"})"), 1);
  EXPECT_EQ(value(R"(townd_ready_head_seconds{rig="rig",town="town"})"), 0) << "it waits for its turn";
  must(events::RigChecked{rig, "its repository is gone", ""});
  EXPECT_EQ(value(R"(townd_slots{state="taken",town="town"})"), 1);
  EXPECT_EQ(value(R"(townd_slots{state="free",town="town"})"), 0);
  const double waited = value(R"(townd_ready_head_seconds{rig="rig",town="town"})");
  clock.at = clock.at + seconds(400);
  EXPECT_EQ(value(R"(townd_ready_head_seconds{rig="rig",town="town"})"), waited + 400);
  must(events::TownPaused{"lunch"});
  EXPECT_EQ(value(R"(townd_ready_head_seconds{rig="rig",town="town"})"), 400 + waited)
      << "the rig is broken all the same";
  EXPECT_EQ(value(R"(townd_paused{town="town"})"), 1);
  EXPECT_GE(value(R"(townd_silent_seconds{town="town"})"), 400);
}

/// Work that is sent to a rig which nobody has read: the town stopped being run before anybody asked.
TEST_F(MetricsTest, AskedForATownThatBrokeDownBeforeItsNewRigWasReadTheyAnswer) {
  Town town(TownRow{});
  Bead request;
  request.bead_id = BeadId("r");
  request.type = BeadType::merge_request;
  request.rig_id = RigId("fresh");
  request.status_since = clock.at;
  town.put(request);
  TickRecord record;
  record.at = clock.at;
  TickResult result;
  result.changed.push_back({RowKey::Table::bead, "r"});
  metrics.in_memory(town, true);
  metrics.ticked({town, record, result});
  metrics.in_memory(town, false);
  EXPECT_EQ(scrape(metrics).at(R"(townd_town_runs{town=""})"), 0);
}

TEST_F(MetricsTest, ATownThatWasJustReadDoesNotLookAsIfItHadStoodStillFor56Years) {
  runtime.manner = [](const AgentSpec&) { return sim::Manner::hangs; };
  must(bead_in(town_with_rig()));
  ASSERT_TRUE(run_until([&] { return live_runs() == 1; }, minutes(1)));
  Metrics fresh{{50, "1.2.3", {}}, clock};
  read([&](const Engine::View& view) {
    fresh.in_memory(view.town, true);
    return true;
  });
  EXPECT_EQ(scrape(fresh).at(R"(townd_reconciler_last_tick_timestamp_seconds{town="town"})"),
            static_cast<double>(clock.now().ms) / 1000);
}

/// So many towns behind one label that writing its ages takes a while.
TEST_F(MetricsTest, WhoeverAsksWhileAnotherAsksSeesNoAgeHalfWritten) {
  Metrics few{{0, "1.2.3", {}}, clock};
  for (int n = 0; n < 10'000; ++n) {
    TownRow row;
    row.town_id = TownId("town" + std::to_string(n));
    few.in_memory(Town(row), true);
  }
  std::atomic<int> torn = 0;
  const auto ask = [&] {
    for (int n = 0; n < 200; ++n)
      torn += few.text({}).find("last_tick_timestamp_seconds{town=\"_other\"} 0\n") != std::string::npos;
  };
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) askers.emplace_back(ask);
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(MetricsTest, ATickThatIsDecidedOtherwiseIsCountedAmongWhatPeopleAreTold) {
  EXPECT_EQ(scrape(metrics).at(R"(townd_alerts_total{kind="decided_otherwise"})"), 0);
  metrics.differs(TownId("town"), Difference{});
  EXPECT_EQ(scrape(metrics).at(R"(townd_alerts_total{kind="decided_otherwise"})"), 1);
}

TEST_F(MetricsTest, ATownThatLeavesMemoryOrIsReadAgainKeepsItsSeries) {
  const RigId rig = town_with_rig();
  const std::string bead = must(bead_in(rig)).created.front();
  ASSERT_TRUE(run_until([&] { return status_of(bead) == BeadStatus::closed; }));
  run_for(hours(2));
  const auto before = asked();
  EXPECT_EQ(before.at(R"(townd_towns{state="open"})") + before.at(R"(townd_towns{state="away"})"), 1);
  kill();
  start();
  step();
  run_for(minutes(1));
  const auto after = asked();
  for (const auto& [series, was] : before)
    if (series.starts_with("townd_")) {
      EXPECT_TRUE(after.contains(series)) << series;
    }
  EXPECT_EQ(after.at(R"(townd_beads{status="closed",town="town",type="issue"})"), 1);
  EXPECT_GE(after.at(R"(townd_runs_ended_total{outcome="done",town="town"})"),
            before.at(R"(townd_runs_ended_total{outcome="done",town="town"})"));
}

TEST_F(MetricsTest, AThousandTownsStayWithinTheBoundedNumberOfSeries) {
  const auto town_of = [](int n) {
    TownRow row;
    row.town_id = TownId("town" + std::to_string(n));
    Town town(row);
    for (int r = 0; r < 30; ++r) {
      Rig rig;
      rig.rig_id = RigId("rig" + std::to_string(r));
      rig.name = "name" + std::to_string(r);
      town.put(rig);
      Bead bead;
      bead.bead_id = BeadId("b" + std::to_string(r));
      bead.rig_id = rig.rig_id;
      town.put(bead);
    }
    return town;
  };
  std::size_t with_fifty = 0;
  for (int n = 0; n < 1'000; ++n) {
    metrics.in_memory(town_of(n), true);
    if (n == 50) with_fifty = scrape(metrics).size();  // fifty towns, and `_other`
  }
  const auto values = scrape(metrics);
  EXPECT_EQ(values.size(), with_fifty) << "each town more than fifty costs series";
  RecordProperty("series", static_cast<int>(values.size()));
  std::cout << values.size() << " series for 1,000 towns with 30 rigs each\n";
  EXPECT_EQ(values.at(R"(townd_beads{status="open",town="town7",type="issue"})"), 30);
  EXPECT_EQ(values.at(R"(townd_beads{status="open",town="_other",type="issue"})"), 950 * 30);
  EXPECT_EQ(values.at(R"(townd_ready_beads{rig="name3",town="town7"})"), 1);
  EXPECT_EQ(values.at(R"(townd_ready_beads{rig="_other",town="town7"})"), 10);
  EXPECT_EQ(values.at(R"(townd_ready_beads{rig="_other",town="_other"})"), 950 * 30);
  EXPECT_EQ(sum(values, "townd_towns"), 1'000);
}

TEST(RuleActions, NoRandomTownDecidesOnAnActionThatMetricsDoNotBeginWith) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const RuleAction& pair : rule_actions()) known.emplace(pair.rule, pair.action);
  ASSERT_EQ(known.size(), rule_actions().size());
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    sim::RandomTown story(seed, 60);
    for (int done = 0; done < story.length();) {
      TickInput input = story.next();
      bool again = true;
      for (int follow_up = 0; again && follow_up <= kFollowUpLimit; ++follow_up) {
        const TickResult result = tick(story.town(), input);
        story.ticked(result);
        story.town().settle();
        input.life.clear();
        input.events.clear();
        again = result.follow_up;
        ++done;
        for (const Decided& decided : result.decisions)
          for (const ActionBody& action : decided.actions) {
            EXPECT_TRUE(known.contains({decided.rule, action_type(action)}))
                << decided.rule << " " << action_type(action);
            seen.emplace(decided.rule, action_type(action));
          }
      }
    }
  }
  EXPECT_GE(seen.size(), known.size() - 4) << "nothing is left of some that are named";
}

TEST(Census, AgreesWithCountingEveryRow) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    sim::RandomTown story(seed, 200);
    for (int done = 0; done < 20; ++done) {
      story.ticked(tick(story.town(), story.next()));
      const Town& town = story.town();
      Census counted;
      for (const BeadId& id : town.bead_ids()) {
        const Bead& bead = *town.bead(id);
        ++counted.beads.at(static_cast<std::size_t>(bead.type)).at(static_cast<std::size_t>(bead.status));
      }
      for (const AgentId& id : town.agent_ids()) ++counted.agents.at(static_cast<std::size_t>(town.agent(id)->status));
      ASSERT_EQ(town.census().beads, counted.beads) << "seed " << seed;
      ASSERT_EQ(town.census().agents, counted.agents) << "seed " << seed;
      if (done % 3 == 0) story.town().rollback(0);
      story.town().settle();
    }
  }
}

}  // namespace
}  // namespace townd
