#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "node.hpp"

namespace townd::bench {
namespace {

/// From a daemon that is not there to one whose towns are loaded and looked at.
void StartNode(benchmark::State& state) {
  const DiskFolder folder;
  const WallClock clock;
  write_town(*must(SqliteStore::open(folder.path())), image_of_size(static_cast<int>(state.range(0)), clock.now()));
  for ([[maybe_unused]] auto turn : state) {
    auto node = std::make_unique<Node>(folder.path());
    std::atomic<bool> seen = false;
    node->engine.look(
        TownId("b"),
        [&](const Engine::View& view) {
          if (view.town.bead_count() < static_cast<std::size_t>(state.range(0)))
            state.SkipWithError("beads are missing");
          seen = true;
          seen.notify_one();
        },
        [&] {
          state.SkipWithError("the town was not loaded");
          seen = true;
          seen.notify_one();
        });
    seen.wait(false);
    state.PauseTiming();
    node.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(StartNode)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// What the disk itself takes at this pace: three pages written and synced each millisecond, 99 of 100 within this many
/// ms.
double raw_sync_p99(const std::filesystem::path& folder) {
  constexpr int kSyncs = 3'000;
  constexpr std::size_t kBytes = 12'288;
  const std::vector<char> bytes(kBytes, 'x');
  const std::string path = folder / "raw";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<double> waits;
  SteadyTime next = std::chrono::steady_clock::now();
  for (int i = 0; i < kSyncs; ++i) {
    std::this_thread::sleep_until(next += std::chrono::milliseconds(1));
    const SteadyTime begin = std::chrono::steady_clock::now();
    // Over and over the same MiB, as a WAL does.
    if (pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(i % 85 * bytes.size())) < 0 || fdatasync(file) != 0)
      throw std::runtime_error("the disk of the current folder cannot be written");
    waits.push_back(milliseconds(begin, std::chrono::steady_clock::now()));
  }
  close(file);
  std::sort(waits.begin(), waits.end());
  return waits[waits.size() * 99 / 100];
}

/// 1,000 events a second for ten seconds, 20 of them each second a new piece of work that is started at once. Measured
/// for these: from the arrival of the event to the start of its effect, with the commit in between.
void EventToEffect(benchmark::State& state) {
  constexpr int kEvents = 10'000;
  constexpr int kDispatchEvery = 50;
  constexpr auto kPause = std::chrono::milliseconds(1);
  const DiskFolder folder;
  const WallClock clock;
  {
    const auto store = must(SqliteStore::open(folder.path()));
    write_town(*store, image_of_size(static_cast<int>(state.range(0)), clock.now()));
  }
  Node node(folder.path());
  const TownImage image = image_of_size(static_cast<int>(state.range(0)), clock.now());

  std::map<std::string, SteadyTime> arrived;
  std::atomic<int> refused = 0;
  const auto answered = [&refused](const expected<Receipt>& receipt) { refused += receipt ? 0 : 1; };
  state.counters["raw_sync_p99_ms"] = raw_sync_p99(folder.path());
  const std::int64_t syncs_before = node.store->counters().syncs;
  for ([[maybe_unused]] auto turn : state) {
    SteadyTime next = std::chrono::steady_clock::now();
    for (int place = 0; place < kEvents; ++place) {
      std::this_thread::sleep_until(next += kPause);
      const Agent& agent = image.agents[static_cast<std::size_t>(place) % image.agents.size()];
      if (place % kDispatchEvery != 0) {
        node.engine.submit(TownId("b"), events::AgentSaid{agent.agent_id, "step " + std::to_string(place)}, answered);
        continue;
      }
      events::BeadCreated created;
      created.title = "work " + std::to_string(place);
      created.rig_id = agent.rig_id;
      arrived.emplace(created.title, std::chrono::steady_clock::now());
      node.engine.submit(TownId("b"), std::move(created), answered);
    }
    node.driver.stop();
  }
  std::vector<double> waits;
  for (const auto& [title, begin] : node.runtime.started())
    if (const auto found = arrived.find(title); found != arrived.end())
      waits.push_back(milliseconds(found->second, begin));
  if (refused > 0 || waits.size() != arrived.size()) {
    state.SkipWithError("not every event was accepted and not every piece of work was started");
    return;
  }
  std::sort(waits.begin(), waits.end());
  state.counters["p50_ms"] = waits[waits.size() / 2];
  state.counters["p99_ms"] = waits[waits.size() * 99 / 100];
  state.counters["max_ms"] = waits.back();
  state.counters["fdatasync"] = static_cast<double>(node.store->counters().syncs - syncs_before);
}
BENCHMARK(EventToEffect)->Arg(10'000)->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace
}  // namespace townd::bench
