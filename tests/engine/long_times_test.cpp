#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "forge/local.hpp"
#include "runtime/local.hpp"
#include "sim/complaints.hpp"
#include "sim/fake_store.hpp"
#include "tests/runtime/stage.hpp"

// Hours and minutes of production constants over the real runtime: real keepers, real agents, real clones. Only the
// time that the engine knows is not real.
namespace townd {
namespace {

namespace fs = std::filesystem;

Instant real_now() {
  using std::chrono::milliseconds;
  return {std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

/// Stands still until it is moved, and remembers what it showed when: keepers write down real moments.
class MovedClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return shown_.rbegin()->second; }
  void move_to(Instant at) { shown_[real_now()] = at; }
  void pass(Duration d) { move_to(now() + d); }
  [[nodiscard]] Instant shown_at(Instant real) const {
    const auto after = shown_.upper_bound(real);
    return after == shown_.begin() ? after->second : std::prev(after)->second;
  }

 private:
  std::map<Instant, Instant> shown_{{real_now(), Instant{1'700'000'000'000}}};  ///< by real moment
};

/// The real runtime, whose moments are told in the engine's time, and what was asked of it.
class Told : public Runtime {
 public:
  Told(const MovedClock& clock, LocalSettings settings) : clock_(clock), settings_(std::move(settings)) {}

  /// A daemon's runtime begins and ends with it; agents and their keepers do not.
  void open() {
    auto opened = LocalRuntime::open(settings_);
    ASSERT_TRUE(opened) << opened.error().what;
    runtime_ = std::move(*opened);
  }
  void close() {
    runtime_.reset();
    news_.clear();
  }

  /// Takes what was observed until now; the engine hears of it when it asks.
  void gather() {
    for (Observation& seen : runtime_->observe()) {
      signed_at[seen.run_id] = seen.sign.at;
      seen.sign.at = clock_.shown_at(seen.sign.at);
      if (seen.sign.last_event_at) seen.sign.last_event_at = clock_.shown_at(*seen.sign.last_event_at);
      news_.insert_or_assign(seen.run_id, std::move(seen));
    }
  }

  expected<void> start(const AgentSpec& spec) override {
    ++starts[spec.assignment.run_id];
    return runtime_->start(spec);
  }
  expected<void> remind(const AgentSpec& spec) override { return runtime_->remind(spec); }
  bool can_remind(const RunId& run) override { return runtime_->can_remind(run); }
  expected<void> stop(const RunId& run) override {
    ++stops[run];
    return runtime_->stop(run);
  }
  expected<void> deliver(const RunId& run, const std::string& from, const std::string& text) override {
    ++delivered[run];
    return runtime_->deliver(run, from, text);
  }
  std::vector<Observation> observe() override {
    if (deaf) return {};
    gather();
    std::vector<Observation> out;
    for (auto& [run, seen] : std::exchange(news_, {})) out.push_back(std::move(seen));
    return out;
  }
  void on_change(std::function<void()> wake) override { runtime_->on_change(std::move(wake)); }
  NodeFacts facts() override { return runtime_->facts(); }
  expected<std::string> log(const RunId& run, std::int64_t offset, std::int64_t limit) override {
    return runtime_->log(run, offset, limit);
  }

  bool deaf = false;  ///< nothing is observed
  std::map<RunId, int> starts, stops, delivered;
  std::map<RunId, Instant> signed_at;  ///< the real moment of each run's newest sign of life

 private:
  const MovedClock& clock_;
  LocalSettings settings_;
  std::unique_ptr<LocalRuntime> runtime_;
  std::map<RunId, Observation> news_;
};

class Quiet : public Observer {
 public:
  void ticked(const Ticked& tick) override {
    for (const Decided& decided : tick.record.decisions)
      story << tick.record.at.ms / 1000 << " " << decided.rule << " " << decided.subject.text << "\n";
  }
  void differs(const TownId& town, const Difference& difference) override {
    alerts.push_back(town.text + " differs at tick " + std::to_string(difference.recorded.number));
  }
  void alarm(const Alarm& alarm) override { alerts.push_back(alarm.kind + ": " + alarm.message); }
  std::vector<std::string> alerts;
  std::ostringstream story;  ///< what was decided, and at which second
};

class LongTimes : public testing::Test {
 protected:
  LongTimes() : runtime_(clock_, settings()) {
    const std::string origin = folder_.path() + "/origin";
    test::sh("git init -q -b main " + origin + " && cd " + origin +
             " && echo hello > file && git add file && git -c user.name=t -c user.email=t@t commit -qm first");
    auto git = git::Program::open(data() + "/git");
    EXPECT_TRUE(git);
    forge_ = std::make_unique<LocalForge>(*git, data());
    start();
  }
  ~LongTimes() override {
    for (const std::string& run : runs()) EXPECT_TRUE(runtime_.stop(RunId{run})) << run;
    for (const std::string& complaint : complaints_.all()) ADD_FAILURE() << complaint;
    for (const std::string& alert : quiet_.alerts) EXPECT_FALSE(alert.starts_with("stray_agent")) << alert;
    if (HasFailure()) std::cout << "now " << clock_.now().ms / 1000 << "\n" << quiet_.story.str();
  }

  void start() {
    runtime_.open();
    EngineOptions options;
    options.max_agents = 4;
    engine_ = std::make_unique<Engine>(Ports{store_, runtime_, *forge_, quiet_, clock_}, options);
    ASSERT_TRUE(engine_->open());
  }
  /// The daemon is killed: what was not committed is lost, and nobody listens to the runs.
  void kill() {
    engine_.reset();
    store_.crash();
    runtime_.close();
  }

  /// Time as it passes while the daemon runs: it wakes when something is due, and every keeper gives its signs of life.
  void pass(Duration d) {
    const Instant end = clock_.now() + d;
    while (clock_.now() < end) {
      const Instant beat = std::min(clock_.now() + kHeartbeat, end);
      for (Instant due = step(); due < beat; due = step()) clock_.move_to(std::max(due, clock_.now() + Duration{1}));
      clock_.move_to(beat);
      keepers_sign();
    }
    step();
  }
  /// The same while there is no daemon; keepers write their signs down.
  void pass_without_townd(Duration d) {
    const Instant end = clock_.now() + d;
    while (clock_.now() < end) {
      clock_.pass(kHeartbeat);
      const std::int64_t moved_at = real_now().ms;
      for (const std::string& run : runs())
        ASSERT_TRUE(test::eventually([&] {
          const auto activity = link(run).activity();
          return !link(run).kept() || (activity && activity->heartbeat_at_ms > moved_at);
        }));
    }
  }
  /// The machine sleeps and wakes up: to its processes no time has passed, and townd is awake before they sign again.
  void sleep_and_wake(Duration d) {
    clock_.pass(d);
    runtime_.deaf = true;
    step();
    runtime_.deaf = false;
  }

  Instant step() { return engine_->step(clock_.now()); }

  std::string must(EventBody body) {
    std::string created;
    engine_->submit(TownId("town"), std::move(body), [&](expected<Receipt> receipt) {
      ASSERT_TRUE(receipt) << receipt.error().what;
      if (!receipt->created.empty()) created = receipt->created.front();
    });
    step();
    return created;
  }
  RigId town_with_rig() {
    TownRow row;
    row.town_id = TownId("town");
    row.name = "town";
    engine_->create_town(std::move(row), [](const expected<Receipt>& receipt) { ASSERT_TRUE(receipt); });
    step();
    Rig rig;
    rig.name = "rig";
    rig.git_url = folder_.path() + "/origin";
    rig.config.polecat_preset = "script";
    rig.config.sandbox = "none";
    rig.config.no_gates = true;
    return RigId(must(events::RigAdded{std::move(rig)}));
  }
  BeadId sling(const RigId& rig, const std::string& script) {
    events::BeadCreated bead;
    bead.title = "a bead";
    bead.body = "echo $TOWN_RUN $$ >> " + begun() + "; echo at work; " + script;
    bead.rig_id = rig;
    return BeadId(must(std::move(bead)));
  }
  /// Three agents that are at work for longer than anything here takes.
  void three_at_work() {
    const RigId rig = town_with_rig();
    for (int i = 0; i < 3; ++i) sling(rig, "exec sleep 100000");
    pass(minutes(5));
    ASSERT_EQ(agents().size(), 3u);
    nothing_was_stopped_or_started_twice();
  }
  void nothing_was_stopped_or_started_twice() {
    EXPECT_TRUE(runtime_.stops.empty());
    EXPECT_EQ(runtime_.starts.size(), 3u);
    EXPECT_EQ(live_runs(), 3u);
    const auto begun = agents();
    EXPECT_EQ(begun.size(), 3u);
    std::set<RunId> different;
    for (const auto& [run, pid] : begun) {
      EXPECT_TRUE(different.insert(run).second) << run.text << " was started twice";
      EXPECT_TRUE(test::alive(pid)) << "the agent of " << run.text << " has been ended";
    }
  }

  std::size_t live_runs() {
    std::size_t live = 0;
    look([&](const Engine::View& view) { live = view.town.live_runs().size(); });
    return live;
  }
  std::vector<townd::Run> runs_of(const BeadId& bead) {
    std::vector<townd::Run> found;
    look([&](const Engine::View& view) {
      for (const RunId& id : view.town.links(bead).runs) found.push_back(*view.town.run(id));
    });
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.run_id < b.run_id; });
    return found;
  }
  /// Every process of an agent that ever began, with its run, in that order.
  [[nodiscard]] std::vector<std::pair<RunId, int>> agents() const {
    std::istringstream lines(test::exists(begun()) ? test::read_file(begun()) : std::string());
    std::vector<std::pair<RunId, int>> found;
    std::string run;
    for (int pid = 0; lines >> run >> pid;) found.emplace_back(RunId(run), pid);
    return found;
  }
  [[nodiscard]] KeeperLink link(const std::string& run) const { return KeeperLink{data() + "/runs/" + run}; }
  [[nodiscard]] std::string data() const { return folder_.path() + "/data"; }

  test::Folder folder_;
  std::set<std::string> frozen_;  ///< runs whose keepers cannot sign
  sim::Complaints complaints_;
  MovedClock clock_;
  sim::FakeStore store_{complaints_};
  Quiet quiet_;
  Told runtime_;
  std::unique_ptr<LocalForge> forge_;
  std::unique_ptr<Engine> engine_;

 private:
  /// What the clock is moved by at a time. A real keeper signs as often as that is in the engine's time.
  static constexpr Duration kHeartbeat = seconds(30);

  [[nodiscard]] LocalSettings settings() const {
    LocalSettings settings;
    settings.data = data();
    settings.shim = TOWND_SHIM;
    settings.bin = fs::path{TOWND_SHIM}.parent_path().string();
    settings.preset_folders = {TOWND_SOURCE "/share/presets"};
    settings.prompts = TOWND_SOURCE "/share/prompts";
    settings.max_agents = 4;
    settings.cgroups = false;
    settings.grace = seconds(1);
    settings.heartbeat = Duration{10};
    return settings;
  }
  [[nodiscard]] std::string begun() const { return folder_.path() + "/begun"; }
  [[nodiscard]] std::vector<std::string> runs() const {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(data() + "/runs", none))
      found.push_back(entry.path().filename().string());
    return found;
  }
  /// Waits until each keeper has signed at what the clock shows now, and its agent has said that it is at work.
  void keepers_sign() {
    const Instant moved_at = real_now();
    for (const std::string& run : runs()) {
      if (frozen_.contains(run)) continue;
      ASSERT_TRUE(test::eventually([&] {
        runtime_.gather();
        if (!link(run).kept()) return true;
        const auto activity = link(run).activity();
        // In a later millisecond: a sign from the one of the move may be from before it.
        return runtime_.signed_at[RunId(run)] > moved_at && activity && activity->lines > 0;
      })) << run
          << " gives no sign of life";
    }
  }
  void look(std::function<void(const Engine::View&)> seen) {
    engine_->look(TownId("town"), std::move(seen), [] { ADD_FAILURE() << "no such town"; });
    step();
  }
};

TEST_F(LongTimes, ALaptopThatSleptEightHoursStopsAndStartsNothing) {
  three_at_work();
  sleep_and_wake(hours(8));
  nothing_was_stopped_or_started_twice();
  pass(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(LongTimes, ADaemonThatWasDownTwentyMinutesStopsAndStartsNothing) {
  three_at_work();
  kill();
  pass_without_townd(minutes(20));
  start();
  step();
  nothing_was_stopped_or_started_twice();
  pass(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(LongTimes, ADaemonThatWasDownWhileTheMachineSleptStopsAndStartsNothing) {
  three_at_work();
  kill();
  pass_without_townd(minutes(10));
  clock_.pass(hours(8));
  start();
  step();
  nothing_was_stopped_or_started_twice();
  pass(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(LongTimes, AgentsWhoseStartWasNotWrittenDownBeforeAKillAreNotStartedAgain) {
  const RigId rig = town_with_rig();
  pass(seconds(30));
  for (int i = 0; i < 3; ++i) sling(rig, "exec sleep 100000");
  store_.by_hand = true;  // from here on nothing that the daemon learns is durable
  pass(minutes(2));
  ASSERT_EQ(agents().size(), 3u);
  kill();
  store_.by_hand = false;
  pass_without_townd(minutes(20));
  start();
  pass(minutes(30));
  nothing_was_stopped_or_started_twice();
}

TEST_F(LongTimes, AnAgentThatDiedWhileTowndWasDownIsReplacedOnceAndTheOthersGoOn) {
  three_at_work();
  const auto before = agents();
  kill();
  ::kill(before[1].second, SIGKILL);
  pass_without_townd(minutes(20));
  start();
  pass(minutes(30));
  EXPECT_TRUE(runtime_.stops.empty());
  const auto now = agents();
  ASSERT_EQ(now.size(), 4u);
  EXPECT_EQ(live_runs(), 3u);
  EXPECT_FALSE(test::alive(before[1].second));
  for (const int at : {0, 2, 3}) EXPECT_TRUE(test::alive(now[at].second)) << now[at].first.text;
}

TEST_F(LongTimes, AnAgentThatHangsIsRemindedAndAfterTwoHoursStoppedAndReplaced) {
  const RigId rig = town_with_rig();
  // Deaf to polite requests, and with a child in a session of its own.
  const BeadId bead =
      sling(rig, "if [ $TOWN_ATTEMPT = 1 ]; then trap '' TERM; setsid sleep 100000 & echo $TOWN_RUN $! >> " +
                     folder_.path() + "/child; while :; do sleep 100000; done; fi; exec sleep 100000");
  pass(minutes(14));
  ASSERT_EQ(agents().size(), 1u);
  const RunId first = agents().front().first;
  EXPECT_EQ(runtime_.delivered[first], 0);
  pass(minutes(3));
  EXPECT_EQ(runtime_.delivered[first], 1);
  EXPECT_TRUE(test::exists(data() + "/clones/" + first.text + "/.git/town/inbox"));
  pass(minutes(100));
  EXPECT_TRUE(runtime_.stops.empty());
  EXPECT_TRUE(test::alive(agents().front().second));

  pass(minutes(15));
  EXPECT_EQ(runtime_.stops[first], 1);
  EXPECT_FALSE(test::alive(agents().front().second));
  std::istringstream child(test::read_file(folder_.path() + "/child"));
  std::string run;
  int pid = 0;
  ASSERT_TRUE(child >> run >> pid);
  EXPECT_FALSE(test::alive(pid));
  const auto runs = runs_of(bead);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].outcome, Outcome::timed_out);
  EXPECT_EQ(runs[1].state, RunState::running);
  ASSERT_EQ(agents().size(), 2u);
  EXPECT_TRUE(test::alive(agents().back().second));
  EXPECT_EQ(runtime_.stops.size(), 1u);
}

TEST_F(LongTimes, AnAgentWhoseKeeperIsFrozenIsStoppedOnceAndReplaced) {
  const RigId rig = town_with_rig();
  const BeadId bead = sling(rig, "exec sleep 100000");
  pass(minutes(5));
  ASSERT_EQ(agents().size(), 1u);
  const auto [first, pid] = agents().front();
  const auto status = link(first.text).status();
  ASSERT_TRUE(status);
  frozen_.insert(first.text);
  ::kill(static_cast<pid_t>(status->keeper_pid), SIGSTOP);
  pass(minutes(20));
  EXPECT_EQ(runtime_.stops[first], 1);
  EXPECT_FALSE(test::alive(pid));
  const auto runs = runs_of(bead);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].state, RunState::ended);
  EXPECT_EQ(runs[1].state, RunState::running);
  ASSERT_EQ(agents().size(), 2u);
  EXPECT_TRUE(test::alive(agents().back().second));
}

}  // namespace
}  // namespace townd
