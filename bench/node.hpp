#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "disk_folder.hpp"
#include "engine/driver.hpp"
#include "store/sqlite_store.hpp"
#include "town_of_size.hpp"

/// A node of which only the outside is missing: agents that are never started, repositories that are always in order.
namespace townd::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

class WallClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
  }
};

/// Starts nothing, and remembers when it was asked to.
class RecordingRuntime final : public Runtime {
 public:
  expected<void> start(const AgentSpec& spec) override {
    const SteadyTime now = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex_);
    if (spec.assignment.bead) started_.emplace(spec.assignment.bead->title, now);
    return {};
  }
  expected<void> remind(const AgentSpec&) override { return {}; }
  bool can_remind(const RunId&) override { return false; }
  expected<void> stop(const RunId&) override { return {}; }
  expected<void> deliver(const RunId&, const std::string&, const std::string&) override { return {}; }
  std::vector<Observation> observe() override { return {}; }
  void on_change(std::function<void()>) override {}
  NodeFacts facts() override {
    NodeFacts facts;
    facts.presets = {PresetState{"script", true, {}, {}}};
    return facts;
  }
  expected<std::string> log(const RunId&, std::int64_t, std::int64_t) override { return std::string(); }

  /// When the work of this title was started.
  std::map<std::string, SteadyTime> started() {
    const std::scoped_lock lock(mutex_);
    return started_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, SteadyTime> started_;
};

/// Repositories that are always in order.
class IdleForge final : public Forge {
 public:
  expected<RigFound> prepare_rig(const TownId&, const Rig& rig) override { return RigFound{rig.default_branch, {}}; }
  expected<void> prepare_branch(const TownId&, const Rig&, const std::string&) override { return {}; }
  expected<std::string> adopt(const TownId&, const Rig&, const std::string& branch) override {
    return fail(Error::Code::not_found, "there is no branch " + branch);
  }
  expected<std::string> collect(const CollectSpec&) override { return std::string(); }
  expected<void> discard(const CollectSpec&) override { return {}; }
  expected<events::GitMergeResult> land(const LandSpec& spec) override {
    return events::GitMergeResult{spec.request_id, events::LandingAnswer::landed, spec.commit, {}};
  }
  expected<AdoptedPr> adopt_pr(const TownId&, const Rig&, const std::string& url) override {
    return fail(Error::Code::not_found, "there is no pull request " + url);
  }
  expected<events::PrPublished> publish(const PublishSpec&) override { return events::PrPublished{}; }
  expected<events::PollAnswer> poll_pr(const PollSpec&) override { return events::PollAnswer{}; }
  expected<events::PrMergeResult> merge_pr(const MergeSpec&) override { return events::PrMergeResult{}; }
  expected<void> comment_pr(const CommentSpec&) override { return {}; }
  std::string pr_trouble(const Rig&) override { return {}; }
};

/// Writes a town into the store, as if it had always been there.
inline void write_town(Store& store, const TownImage& image) {
  Town town(image.town);
  town.put(image.town);
  for (const Rig& row : image.rigs) town.put(row);
  for (const Bead& row : image.beads) town.put(row);
  for (const Dependency& row : image.dependencies) town.put(row);
  for (const Agent& row : image.agents) town.put(row);
  for (const Run& row : image.runs) town.put(row);
  TownCommit commit;
  commit.town_id = image.town.town_id;
  for (const RowKey& key : town.changed_since(0)) commit.rows.push_back({key, row_image(town, key)});
  std::atomic<bool> written = false;
  std::string problem;
  store.commit(std::move(commit), [&](const expected<void>& done) {
    if (!done) problem = done.error().what;
    written = true;
    written.notify_one();
  });
  written.wait(false);
  if (!problem.empty()) throw std::runtime_error(problem);
}

/// The towns of these figures have far more agents than a machine can run.
constexpr int kManyAgents = 1'000'000;

/// A whole node but for the outside: store, engine, its threads.
struct Node {
  explicit Node(const std::filesystem::path& folder, int max_agents = kManyAgents)
      : store(must(SqliteStore::open(folder))),
        engine(Ports{*store, runtime, forge, observer, clock}, options(max_agents)),
        driver(engine, clock) {
    must(engine.open());
    driver.start();
  }
  static EngineOptions options(int max_agents) {
    EngineOptions options;
    options.max_agents = max_agents;
    return options;
  }

  std::unique_ptr<SqliteStore> store;
  RecordingRuntime runtime;
  IdleForge forge;
  Observer observer;
  WallClock clock;
  Engine engine;
  Driver driver;
};

inline double milliseconds(SteadyTime begin, SteadyTime end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

}  // namespace townd::bench
