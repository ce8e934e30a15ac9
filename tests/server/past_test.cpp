#include "engine/past.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "codec/bundle.hpp"
#include "server/daemon.hpp"
#include "server/incidents.hpp"
#include "server/upgrade.hpp"
#include "store/scratch_folder.hpp"
#include "store/sqlite_store.hpp"
#include "workload/day30.hpp"

/// The upgrade gate and the bundles of incidents, on two hours of real work (tests/workload).
namespace townd::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Instant wall_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

Town town_named(const TownId& id) {
  TownRow row;
  row.town_id = id;
  return Town(row);
}

class Silent final : public Observer {
 public:
  void alarm(const Alarm& alarm) override { alerts.push_back(alarm.kind + ": " + alarm.message); }
  std::vector<std::string> alerts;
};

class PastOfADaemon : public testing::Test {
 protected:
  PastOfADaemon() {
    fs::permissions(folder_.path(), fs::perms::owner_all);
    sim::Complaints complaints;
    const auto disk = store();
    workload::MirroredStore both(complaints, *disk);
    workload::Day30 day(both, complaints, 30, wall_now() - hours(2));
    day.run(minutes(119));
    both.wait();
    for (const std::string& complaint : complaints.all()) ADD_FAILURE() << complaint;
  }

  std::unique_ptr<SqliteStore> store() { return std::move(SqliteStore::open(folder_.path()).value()); }

  /// Answers the number in the last row.
  std::int64_t sql(const std::string& text) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((folder_.path() / "townd.db").c_str(), &db), SQLITE_OK);
    std::int64_t number = 0;
    char* problem = nullptr;
    sqlite3_exec(
        db, text.c_str(),
        [](void* out, int, char** values, char**) {
          *static_cast<std::int64_t*>(out) = std::atoll(values[0]);
          return 0;
        },
        &number, &problem);
    EXPECT_EQ(problem, nullptr) << problem;
    sqlite3_close(db);
    return number;
  }
  /// Makes the record one of a townd that had another rule in the place of beads.assign.
  std::int64_t record_another_rule() {
    sql("UPDATE ticks SET record = replace(record, '\"rule\":\"beads.assign\"', '\"rule\":\"beads.give\"')");
    return sql(
        "SELECT count(*) FROM ticks WHERE instr(record, 'beads.give') > 0 AND at > (SELECT min(at) FROM snapshots)");
  }
  void take_back() {
    sql("UPDATE ticks SET record = replace(record, '\"rule\":\"beads.give\"', '\"rule\":\"beads.assign\"')");
  }

  std::string error_of_start(const std::string& settings) {
    std::ofstream(folder_.path() / "townd.toml") << settings;
    DaemonOptions options;
    options.data = folder_.path().string();
    options.listen = "127.0.0.1:0";
    const auto started = Daemon::start(options);
    return started ? "" : started.error().what + "; " + started.error().hint;
  }
  [[nodiscard]] bool noted() const { return fs::exists(folder_.path() / "verified"); }

  const ScratchFolder folder_;
  const TownId town_{"day30"};
};

TEST_F(PastOfADaemon, ExactlyTheTicksOfAChangedRuleAreDecidedOtherwise) {
  UpgradeFinding finding = try_on_past(*store(), town_, wall_now());
  EXPECT_GT(finding.ticks, 50);
  EXPECT_EQ(in_words(finding), "");
  const std::int64_t changed = record_another_rule();
  ASSERT_GT(changed, 10);
  finding = try_on_past(*store(), town_, wall_now());
  EXPECT_EQ(static_cast<std::int64_t>(finding.otherwise.size()), changed);
  for (const DifferingTick& tick : finding.otherwise)
    EXPECT_EQ(sql("SELECT count(*) FROM ticks WHERE instr(record, 'beads.give') > 0 AND number = " +
                  std::to_string(tick.number)),
              1);
  EXPECT_THAT(in_words(finding),
              HasSubstr("decided otherwise, first tick " + std::to_string(finding.otherwise.front().number)));
  EXPECT_EQ(in_words(try_on_past(*store(), town_, wall_now() + days(3))), "") << "that is older than a day";
}

TEST_F(PastOfADaemon, ADamagedSnapshotIsPassedOverAndSaidSo) {
  sql("UPDATE snapshots SET image = substr(image, 1, length(image) / 2) WHERE tick = (SELECT max(tick) FROM "
      "snapshots)");
  const auto past = run_past(*store(), town_, {wall_now() - minutes(2), wall_now()});
  ASSERT_TRUE(past) << past.error().what;
  EXPECT_EQ(past->rerun.from_tick,
            sql("SELECT max(tick) FROM snapshots WHERE tick < (SELECT max(tick) FROM snapshots)"));
  EXPECT_EQ(past->rerun.first_difference, std::nullopt);
  ASSERT_EQ(past->unusable.size(), 1u);
  EXPECT_THAT(past->unusable[0], HasSubstr("the snapshot after tick"));
}

TEST_F(PastOfADaemon, AProgramThatDecidesOtherwiseIsRefusedWhereItIsWanted) {
  record_another_rule();
  EXPECT_THAT(error_of_start("[upgrade]\nverify = \"refuse\"\n"), HasSubstr("would be decided otherwise"));
  EXPECT_THAT(error_of_start("[upgrade]\nverify = \"maybe\"\n"), HasSubstr("none of report, refuse, off"));
  EXPECT_EQ(error_of_start("[upgrade]\nverify = \"off\"\n"), "");
  EXPECT_EQ(error_of_start(""), "");
  EXPECT_FALSE(noted()) << "it has not agreed yet";
}

TEST_F(PastOfADaemon, AProgramThatAgreesIsNotAskedAgain) {
  EXPECT_EQ(error_of_start("[upgrade]\nverify = \"refuse\"\n"), "");
  EXPECT_TRUE(noted());
  record_another_rule();
  EXPECT_EQ(error_of_start("[upgrade]\nverify = \"refuse\"\n"), "");
  std::ofstream(folder_.path() / "verified") << "another program\n";
  EXPECT_NE(error_of_start("[upgrade]\nverify = \"refuse\"\n"), "");
  take_back();
}

TEST(UpgradeReport, IsInWordsForATown) {
  UpgradeReport report;
  report.add(TownId("fine"), {120, {}, {}, {}});
  EXPECT_EQ(report.of(TownId("fine")), "");
  UpgradeFinding finding{120, {{17, Instant{}, {}, {}}}, {}, {}};
  finding.otherwise[0].as_it_was.emplace_back();
  finding.otherwise[0].as_it_was[0].rule = "beads.assign";
  report.add(TownId("other"), finding);
  EXPECT_EQ(report.of(TownId("other")),
            "1 of 120 ticks of the last 24 h would be decided otherwise, first tick 17 (beads.assign, now nothing)");
}

TEST_F(PastOfADaemon, ABundleOfEachTroubleIsKeptByItself) {
  const auto disk = store();
  Silent silent;
  struct : Clock {
    [[nodiscard]] Instant now() const override { return at; }
    Instant at = wall_now();
  } clock;
  const auto ticks = disk->recorded(town_, 1, 100);
  ASSERT_TRUE(ticks);
  {
    Workers workers(1);
    Incidents incidents(silent, *disk, workers, clock, folder_.path());
    const Town nowhere = town_named(town_);
    const TickResult nothing;
    TickRecord record = (*ticks)[20].record;
    incidents.ticked({nowhere, record, nothing});  // without a trouble
    record.violations = {{5, "x-1", "two runs", "beads.assign"}};
    incidents.ticked({nowhere, record, nothing});
    incidents.ticked({nowhere, record, nothing});  // the same again
    TickRecord later = (*ticks)[30].record;
    later.violations = record.violations;
    incidents.ticked({nowhere, later, nothing});  // the same trouble, on the same day
    Difference difference{"digest", (*ticks)[40].record, (*ticks)[40].record};
    incidents.differs(town_, difference);
    workers.stop();
  }
  EXPECT_THAT(silent.alerts, testing::IsEmpty());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "bundles")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  const auto name = [](const TickRecord& record) { return "day30-tick-" + std::to_string(record.number) + ".bundle"; };
  ASSERT_EQ(names, (std::vector<std::string>{name((*ticks)[20].record), name((*ticks)[40].record)}));
  std::ifstream file(folder_.path() / "bundles" / names[0], std::ios::binary);
  const auto bundle = read_bundle(std::string{std::istreambuf_iterator<char>(file), {}});
  ASSERT_TRUE(bundle) << bundle.error().what;
  EXPECT_THAT(bundle->about, HasSubstr("invariant 5 beads.assign"));
  EXPECT_EQ(bundle->until, (*ticks)[20].record.at);
}

TEST_F(PastOfADaemon, OnlySoManyBundlesAreKept) {
  const auto disk = store();
  Silent silent;
  struct : Clock {
    [[nodiscard]] Instant now() const override { return wall_now(); }
  } clock;
  const auto ticks = disk->recorded(town_, 1, 100);
  Workers workers(1);
  Incidents incidents(silent, *disk, workers, clock, folder_.path());
  const Town nowhere = town_named(town_);
  const TickResult nothing;
  for (int i = 0; i < static_cast<int>(kIncidentsKept) + 4; ++i) {
    TickRecord record = (*ticks)[static_cast<std::size_t>(i) + 20].record;
    record.violations = {{i, "x-1", "trouble", ""}};
    incidents.ticked({nowhere, record, nothing});
  }
  workers.stop();
  EXPECT_THAT(silent.alerts, testing::IsEmpty());
  std::size_t kept = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_.path() / "bundles")) ++kept;
  EXPECT_EQ(kept, kIncidentsKept);
}

}  // namespace
}  // namespace townd::test
