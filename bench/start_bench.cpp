#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "disk_folder.hpp"
#include "forge/local.hpp"
#include "runtime/local.hpp"
#include "runtime/sandbox.hpp"

/// From the start of an effect to the agent's first command: the clone, the sandbox, the keeper. On the disk of the
/// current folder.
namespace townd::bench {
namespace {

namespace fs = std::filesystem;

/// A repository of 1,000 files in 50 folders.
std::string make_origin(const fs::path& folder) {
  const fs::path origin = folder / "origin";
  for (int i = 0; i < 1'000; ++i) {
    const fs::path file = origin / ("part" + std::to_string(i % 50)) / ("file" + std::to_string(i) + ".txt");
    fs::create_directories(file.parent_path());
    std::ofstream(file) << std::string(1'000, static_cast<char>('a' + i % 26)) << i << "\n";
  }
  const std::string command = "cd '" + origin.string() +
                              "' && git init -q -b main && git add . && "
                              "git -c user.name=t -c user.email=t@localhost commit -qm first";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("git cannot make the repository");
  return origin.string();
}

LocalSettings settings_for(const fs::path& data) {
  LocalSettings settings;
  settings.data = data.string();
  settings.shim = TOWND_SHIM;
  settings.bin = fs::path{TOWND_SHIM}.parent_path().string();
  settings.preset_folders = {TOWND_SHARE "/presets"};
  settings.prompts = TOWND_SHARE "/prompts";
  settings.cgroups = false;
  settings.grace = seconds(1);
  return settings;
}

AgentSpec run_of(const Rig& rig, int number) {
  // Its first command says when it was there.
  const std::string script = "date +%s%N > began.part && mv began.part began";
  AgentSpec spec;
  Assignment& work = spec.assignment;
  work.town_id = TownId("b");
  work.run_id = RunId("b-" + std::to_string(number));
  work.agent.agent_id = AgentId("b-3");
  work.agent.name = "Toast";
  work.rig = rig;
  work.bead = Bead{};
  work.bead->bead_id = BeadId("b-2");
  work.bead->title = "Say when";
  work.bead->body = TextRef::of(script);
  work.preset = "script";
  work.branch = "gt/toast/b-2";
  work.target_branch = "main";
  spec.texts[work.bead->body.hash.hex()] = script;
  spec.token = "unused";
  return spec;
}

/// When the file says that it was written; waits for the file.
std::chrono::nanoseconds moment_in(const fs::path& file) {
  while (!fs::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::int64_t nanoseconds = 0;
  std::ifstream(file) >> nanoseconds;
  return std::chrono::nanoseconds(nanoseconds);
}

void EffectToExec(benchmark::State& state) {
  if (!bubblewrap()) return state.SkipWithError(bubblewrap().error().what.c_str());
  const DiskFolder folder;
  const fs::path data = folder.path() / "data";
  Rig rig;
  rig.rig_id = RigId("b-1");
  rig.name = "rig";
  rig.git_url = make_origin(folder.path());
  LocalForge forge(must(git::Program::open((data / "git").string())), data.string());
  must(forge.prepare_rig(TownId("b"), rig));
  const auto runtime = must(LocalRuntime::open(settings_for(data)));

  std::vector<double> waits;
  int number = 10;
  for ([[maybe_unused]] auto turn : state) {
    const AgentSpec spec = run_of(rig, number++);
    const auto begin = std::chrono::system_clock::now().time_since_epoch();
    must(runtime->start(spec));
    const auto began = moment_in(data / "clones" / spec.assignment.run_id.text / "began");
    waits.push_back(std::chrono::duration<double, std::milli>(began - begin).count());
    must(runtime->stop(spec.assignment.run_id));
  }
  std::sort(waits.begin(), waits.end());
  state.counters["p50_ms"] = waits[waits.size() / 2];
  state.counters["p99_ms"] = waits[waits.size() * 99 / 100];
}
BENCHMARK(EffectToExec)->Iterations(100)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace townd::bench
