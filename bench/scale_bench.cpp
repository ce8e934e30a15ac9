#include <benchmark/benchmark.h>
#include <malloc.h>

#include <fstream>
#include <thread>

#include "cpu.hpp"
#include "node.hpp"
#include "server/daemon.hpp"

/// What many towns, many beads and no work at all cost in memory and time.
namespace townd::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

double heap_mib() { return static_cast<double>(mallinfo2().uordblks) / kMiB; }

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / kMiB;
}

/// A town of `image_of_size` under a name and a prefix of its own.
TownImage numbered_town(int number, int live, Instant now) {
  TownImage image = image_of_size(live, now);
  image.town.town_id = TownId("t" + std::to_string(number));
  image.town.name = image.town.town_id.text;
  image.town.prefix = "t";
  for (int rest = number; image.town.prefix.size() < 5; rest /= 26)
    image.town.prefix += static_cast<char>('a' + rest % 26);
  return image;
}

/// What a node with one town of this size has on its heap.
void MemoryOfBeads(benchmark::State& state) {
  const DiskFolder folder;
  const WallClock clock;
  const auto live = static_cast<int>(state.range(0));
  write_town(*must(SqliteStore::open(folder.path())), image_of_size(live, clock.now()));
  for ([[maybe_unused]] auto turn : state) {
    malloc_trim(0);
    const double before = heap_mib();
    const Node node(folder.path());
    std::this_thread::sleep_for(std::chrono::seconds(2));  // its first ticks
    state.counters["heap_mib"] = heap_mib() - before;
  }
}
BENCHMARK(MemoryOfBeads)->Arg(100'000)->Iterations(1)->Unit(benchmark::kSecond);

/// Idle towns of 20 beads each: what they take in memory once those that need not stay have left.
void MemoryOfIdleTowns(benchmark::State& state) {
  const DiskFolder folder;
  const WallClock clock;
  const auto towns = static_cast<int>(state.range(0));
  {
    const auto store = must(SqliteStore::open(folder.path()));
    for (int i = 0; i < towns; ++i) {
      TownImage image = numbered_town(i, 20, clock.now());
      image.town.node.slots = 0;
      image.agents.clear();
      image.runs.clear();
      for (Bead& bead : image.beads)
        if (bead.status == BeadStatus::in_progress) bead.status = BeadStatus::failed, bead.closed_at = clock.now();
      write_town(*store, image);
    }
  }
  for ([[maybe_unused]] auto turn : state) {
    malloc_trim(0);
    const double before = heap_mib(), resident_before = resident_mib();
    double most = 0;
    const Node node(folder.path(), 4);
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      most = std::max(most, heap_mib() - before);
    }
    state.counters["heap_mib"] = heap_mib() - before;
    state.counters["most_heap_mib"] = most;
    state.counters["resident_mib"] = resident_mib() - resident_before;
    if (node.engine.towns().size() != static_cast<std::size_t>(towns)) state.SkipWithError("towns are missing");
  }
}
BENCHMARK(MemoryOfIdleTowns)->Arg(10'000)->Iterations(1)->Unit(benchmark::kSecond);

/// Towns of 200 beads with 10 agents each, each agent heard every 30 s: the share of one core that this takes.
void HeartbeatsOfTowns(benchmark::State& state) {
  constexpr auto kHeartbeat = std::chrono::seconds(30);
  constexpr int kSeconds = 60;
  const DiskFolder folder;
  const WallClock clock;
  const auto towns = static_cast<int>(state.range(0));
  std::vector<std::pair<TownId, AgentId>> agents;
  {
    const auto store = must(SqliteStore::open(folder.path()));
    for (int i = 0; i < towns; ++i) {
      const TownImage image = numbered_town(i, 200, clock.now());
      for (const Agent& agent : image.agents) agents.emplace_back(image.town.town_id, agent.agent_id);
      write_town(*store, image);
    }
  }
  Node node(folder.path());
  const auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(kHeartbeat) / agents.size();
  const auto beat = [&](int seconds) {
    SteadyTime next = std::chrono::steady_clock::now();
    const SteadyTime end = next + std::chrono::seconds(seconds);
    for (std::size_t i = 0; next < end; ++i) {
      const auto& [town, agent] = agents[i % agents.size()];
      SignOfLife sign;
      sign.agent_id = agent;
      sign.at = clock.now();
      node.engine.sign_of_life(town, std::move(sign));
      std::this_thread::sleep_until(next += pause);
    }
  };
  beat(10);  // the first ticks of all
  for ([[maybe_unused]] auto turn : state) {
    const double before = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD);
    beat(kSeconds);
    const double used = cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD) - before;
    state.counters["core_percent"] = 100 * used / kSeconds;
    state.counters["agents"] = static_cast<double>(agents.size());
  }
}
BENCHMARK(HeartbeatsOfTowns)->Arg(1'000)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

/// A daemon that has nothing to do.
void IdleDaemon(benchmark::State& state) {
  constexpr int kSeconds = 60;
  const DiskFolder folder;
  DaemonOptions options;
  options.data = folder.path().string();
  options.listen = "127.0.0.1:0";
  std::filesystem::create_directories(folder.path());
  const auto daemon = must(Daemon::start(options));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  for ([[maybe_unused]] auto turn : state) {
    const double before = cpu_seconds(RUSAGE_SELF);
    std::this_thread::sleep_for(std::chrono::seconds(kSeconds));
    state.counters["core_percent"] = 100 * (cpu_seconds(RUSAGE_SELF) - before) / kSeconds;
    state.counters["resident_mib"] = resident_mib();
  }
}
BENCHMARK(IdleDaemon)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace
}  // namespace townd::bench
