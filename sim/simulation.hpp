#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "sim/fake_clock.hpp"
#include "sim/fake_forge.hpp"
#include "sim/fake_runtime.hpp"
#include "sim/fake_store.hpp"
#include "sim/random.hpp"

namespace townd::sim {

/// How often a rule acted (over all ticks), waited and held (over all live subjects, now and then).
struct RuleCount {
  std::int64_t acted = 0;
  std::int64_t waited = 0;
  std::int64_t held = 0;
};
using RuleCounts = std::map<std::string, RuleCount>;

struct Verdict {
  std::vector<std::string> failures;  ///< empty: good
  int beads = 0;
  int kills = 0;
  long ticks_replayed = 0;  ///< recorded ticks that were decided again, each to the same digest
  int steps = 0;
  Duration simulated;
};

/// One life of a node: real core and engine, fake ports, everything else by the seed.
class Simulation : private Observer {
 public:
  Simulation(std::uint64_t seed, RuleCounts& counts, bool telling);
  Verdict run();

 private:
  struct Job {
    Instant due;
    std::function<void()> run;
  };

  // ---- the world ----
  void boot();
  void kill();
  void set_up_towns();
  void give_work(const TownId& town, const std::vector<RigId>& rigs);
  using Heard = std::function<void(const expected<Receipt>&)>;
  void divide(const TownId& town, const BeadId& bead, const Heard& heard);
  Manner draw_manner(const AgentSpec& spec);
  void disturb();
  void help();  ///< what a person would do for what waits for one
  void pass_time(Instant next);

  // ---- looking ----
  void look_at_towns();
  void look_at(const Engine::View& view);
  [[nodiscard]] bool all_ended();
  void check_the_end();
  void check_landings(const Engine::View& view);
  void check_replay(const TownId& id);
  void wrong(std::string what);
  void settle();  ///< steps until everything submitted is answered

  // ---- Observer ----
  void ticked(const Ticked& tick) override;
  void differs(const TownId& town, const Difference& difference) override;
  void alarm(const Alarm& alarm) override;

  Random random_;
  RuleCounts& counts_;
  const bool telling_;
  Complaints complaints_;
  FakeClock clock_;
  FakeStore store_;
  FakeForge forge_;
  FakeRuntime runtime_;
  std::unique_ptr<Engine> engine_;
  std::vector<Job> jobs_;
  std::vector<TownId> towns_;
  bool faults_ = true;
  Instant faults_until_;
  Instant help_at_;
  Instant look_at_;
  Verdict verdict_;
};

}  // namespace townd::sim
