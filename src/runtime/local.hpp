#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "git/program.hpp"
#include "ports/runtime.hpp"
#include "runtime/preset.hpp"
#include "runtime/settings.hpp"
#include "runtime/watcher.hpp"

namespace townd {

/// Agents as processes of this machine, each under its own townd-shim and inside bubblewrap. All that must survive the
/// daemon is in `runs/<run>/`; this object remembers only what it can find out again.
class LocalRuntime final : public Runtime {
 public:
  /// Reads the presets, takes up every run that is still kept, and will report all others once.
  static expected<std::unique_ptr<LocalRuntime>> open(LocalSettings settings);

  expected<void> start(const AgentSpec& spec) override;
  expected<void> remind(const AgentSpec& spec) override;
  bool can_remind(const RunId& run) override;
  expected<void> stop(const RunId& run) override;
  expected<void> deliver(const RunId& run, const std::string& from, const std::string& text) override;
  std::vector<Observation> observe() override;
  void on_change(std::function<void()> wake) override;
  NodeFacts facts() override;
  expected<std::string> log(const RunId& run, std::int64_t offset, std::int64_t limit) override;

  [[nodiscard]] const Presets& presets() const { return presets_; }
  /// Bytes that the run has printed.
  [[nodiscard]] std::int64_t log_bytes(const RunId& run) const { return link_of(run).log_end(); }

 private:
  LocalRuntime(LocalSettings settings, Presets presets, git::Program git);

  [[nodiscard]] RunPlaces places_of(const RunId& run) const;
  [[nodiscard]] KeeperLink link_of(const RunId& run) const { return KeeperLink{places_of(run).run}; }
  /// One start or reminder of a run at a time; a stop does not wait for it.
  std::shared_ptr<std::mutex> turn_of(const RunId& run);

  expected<const Preset*> preset_of(const std::string& name) const;
  expected<void> prepare(const AgentSpec& spec, const Preset& preset, const RunPlaces& places);
  expected<void> launch(const AgentSpec& spec, const Preset& preset, int attempt);
  expected<void> await_running(const KeeperLink& link, int attempt, int child, const AgentSpec& spec);
  expected<void> answer_of(const KeeperLink& link, const AgentSpec& spec) const;
  void run_ended(const RunAbout& about, const RunEnd& end);
  void take_up();

  LocalSettings settings_;
  Presets presets_;
  git::Program git_;

  std::mutex mutex_;
  std::map<RunId, std::weak_ptr<std::mutex>> turns_;  // guarded by mutex_
  struct Trouble {
    std::string reason;  ///< not logged in: what the program said
    Instant checked_at;
    MaybeInstant limited_until;
  };
  std::map<std::string, Trouble> troubles_;  // by preset; guarded by mutex_

  std::unique_ptr<Watcher> watcher_;  // last: its thread uses the others
};

}  // namespace townd
