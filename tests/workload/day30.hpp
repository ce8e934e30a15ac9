#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/engine.hpp"
#include "sim/fake_clock.hpp"
#include "sim/fake_forge.hpp"
#include "sim/fake_runtime.hpp"
#include "sim/fake_store.hpp"
#include "sim/random.hpp"

namespace townd::workload {

/// A store in memory that gives everything to another one too, in the same order. That one is asked for snapshots.
class MirroredStore : public sim::FakeStore {
 public:
  MirroredStore(sim::Complaints& complaints, Store& other)
      : FakeStore(complaints), complaints_(complaints), other_(other) {}
  ~MirroredStore() override { wait(); }

  void commit(TownCommit commit, Committed done) override;
  expected<SnapshotMade> keep_snapshot(const TownId& town) override;
  /// Until the other has all of it.
  void wait();

 private:
  sim::Complaints& complaints_;
  Store& other_;
  std::mutex mutex_;
  std::condition_variable less_;
  int underway_ = 0;
};

/// One town's day (README.md).
class Day30 : private Observer {
 public:
  static constexpr int kRigs = 5, kPolecats = 30, kConvoys = 60, kBeadsOfConvoy = 10;

  explicit Day30(sim::FakeStore& store, sim::Complaints& complaints, std::uint64_t seed = 30,
                 Instant begins = Instant{1'782'864'000'000});
  /// Goes on for so long.
  void run(Duration length);

  const TownId town{"day30"};
  [[nodiscard]] Instant now() const { return clock_.at; }
  [[nodiscard]] Engine& engine() { return *engine_; }

  // ---- what came of it ----
  int runs = 0;
  int faults = 0;
  std::int64_t signs = 0;      ///< of life, that a tick heard
  int most_at_work = 0;        ///< polecats at once
  Observer* beside = nullptr;  ///< is told of all ticks too

 private:
  void make_town();
  void give_convoy();
  void ticked(const Ticked& tick) override;
  void ticked_quietly(const QuietTick& tick) override;
  void effects_ended(const TownId& id, const std::vector<StoredEffect>& outcomes) override;
  void differs(const TownId&, const Difference& difference) override;

  sim::Complaints& complaints_;
  sim::Random random_;
  sim::FakeClock clock_;
  sim::FakeForge forge_;
  sim::FakeRuntime runtime_;
  std::unique_ptr<Engine> engine_;
  std::vector<RigId> rigs_;
  int given_ = 0;  ///< convoys
  Instant give_at_;
  Instant help_at_;
};

}  // namespace townd::workload
