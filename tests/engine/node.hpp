#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "sim/fake_clock.hpp"
#include "sim/fake_forge.hpp"
#include "sim/fake_runtime.hpp"
#include "sim/fake_store.hpp"

namespace townd {

/// Remembers what people are told.
class Told : public Observer {
 public:
  void ticked(const Ticked& tick) override { ticks.push_back(tick.record); }
  void differs(const TownId&, const Difference& difference) override {
    differing.push_back(difference.recorded.number);
  }
  void alarm(const Alarm& alarm) override {
    alerts.emplace_back(alarm.kind + ": " + alarm.message);
    alarms.push_back(alarm);
  }
  [[nodiscard]] int alerts_of(std::string_view kind) const {
    int n = 0;
    for (const std::string& alert : alerts) n += alert.starts_with(kind) ? 1 : 0;
    return n;
  }

  std::vector<TickRecord> ticks;
  std::vector<std::int64_t> differing;  ///< ticks that were decided again otherwise
  std::vector<std::string> alerts;
  std::vector<Alarm> alarms;
};

/// An engine with fake ports, driven by hand.
class Node : public testing::Test {
 protected:
  Node() : store(complaints), forge(complaints), runtime(clock, forge, complaints, 7) {
    runtime.say = [this](const TownId& id, EventBody body) {
      if (engine) engine->submit(id, std::move(body), [](const expected<Receipt>&) {});
      return engine != nullptr;
    };
    start();
  }
  ~Node() override {
    for (const std::string& complaint : complaints.all()) ADD_FAILURE() << complaint;
  }

  /// A daemon begins; whatever an earlier one had in memory is gone.
  void start() {
    engine = std::make_unique<Engine>(Ports{store, runtime, forge, *watching, clock}, options);
    if (pool) engine->run_effects_with(pool);
    ASSERT_TRUE(engine->open());
  }
  void kill() {
    engine.reset();
    store.crash();
    runtime.forget_listeners();
  }

  Instant step() { return engine->step(clock.at); }

  /// Moves the clock from one due moment to the next until `done`, or for `at_most`.
  bool run_until(const std::function<bool()>& done, Duration at_most = hours(12)) {
    const Instant end = clock.at + at_most;
    while (clock.at <= end) {
      const Instant next = std::min(step(), runtime.next());
      if (done()) return true;
      clock.at = std::max(clock.at + Duration{1}, std::min(next, end + Duration{1}));
      runtime.live();
    }
    return false;
  }
  void run_for(Duration d) {
    run_until([] { return false; }, d);
  }

  void make_town(const std::string& name) {
    TownRow row;
    row.town_id = TownId(name);
    row.name = name;
    std::optional<expected<Receipt>> made;
    engine->create_town(std::move(row), [&](expected<Receipt> receipt) { made = std::move(receipt); });
    step();
    ASSERT_TRUE(made && *made);
  }
  /// What the engine answers; none as long as it has not.
  std::shared_ptr<std::optional<expected<Receipt>>> ask(EventBody body, const TownId& id = TownId("town")) {
    auto answer = std::make_shared<std::optional<expected<Receipt>>>();
    engine->submit(id, std::move(body), [answer](expected<Receipt> receipt) { *answer = std::move(receipt); });
    return answer;
  }
  Receipt must(EventBody body, const TownId& id = TownId("town")) {
    const auto answer = ask(std::move(body), id);
    step();
    if (!*answer || !**answer) {
      ADD_FAILURE() << (*answer ? (*answer)->error().what : "no answer");
      return {};
    }
    return ***answer;
  }
  RigId make_rig(const TownId& id = TownId("town")) {
    Rig rig;
    rig.name = "rig";
    rig.git_url = "/repo";
    return RigId(must(events::RigAdded{std::move(rig)}, id).created.front());
  }
  static events::BeadCreated bead_in(const RigId& rig, const std::string& title = "a bead") {
    events::BeadCreated bead;
    bead.title = title;
    bead.body = "what is to be done";
    bead.rig_id = rig;
    return bead;
  }
  template <class Read>
  auto read(Read what, const TownId& id = TownId("town")) {
    std::optional<decltype(what(std::declval<const Engine::View&>()))> seen;
    engine->look(
        id, [&](const Engine::View& view) { seen = what(view); }, [] { ADD_FAILURE() << "no such town"; });
    step();
    return seen.value();
  }
  BeadStatus status_of(const std::string& bead, const TownId& id = TownId("town")) {
    return read([&](const Engine::View& view) { return view.town.bead(BeadId(bead))->status; }, id);
  }
  std::size_t live_runs(const TownId& id = TownId("town")) {
    return read([](const Engine::View& view) { return view.town.live_runs().size(); }, id);
  }
  /// A started town with one rig.
  RigId town_with_rig() {
    make_town("town");
    return make_rig();
  }

  sim::Complaints complaints;
  sim::FakeClock clock;
  sim::FakeStore store;
  sim::FakeForge forge;
  sim::FakeRuntime runtime;
  Told told;
  Observer* watching = &told;
  EngineOptions options;
  std::function<void(std::string_view, std::function<void()>)> pool;
  std::unique_ptr<Engine> engine;
};

}  // namespace townd
