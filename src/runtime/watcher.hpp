#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ports/runtime.hpp"
#include "runtime/keeper_link.hpp"
#include "runtime/preset.hpp"
#include "runtime/run_record.hpp"
#include "runtime/stream.hpp"

namespace townd {

/// Notices what happens to runs: one thread that waits for their keepers' ends (pidfd) and for files renamed into
/// their folders (inotify), and folds what it sees for `take`.
class Watcher {
 public:
  /// `ended` is called on the watcher's thread with each end, before it can be taken.
  using Ended = std::function<void(const RunAbout&, const RunEnd&)>;
  Watcher(const Presets& presets, Ended ended);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Looks after a run from now on; harmless when it already does. `child` is its keeper when that is a child of this
  /// process, else 0.
  void watch(const std::string& folder, int child = 0);
  /// What changed since the last call, one for each run, in run order.
  std::vector<Observation> take();
  void on_change(std::function<void()> wake);

 private:
  struct Watched;

  void loop();
  void look(Watched& run);
  bool open_keeper(Watched& run);
  void read_output(Watched& run);
  [[nodiscard]] SignOfLife sign_of(const Watched& run) const;
  void tell_running(Watched& run, ProcessState state);
  void tell_end(Watched& run, const RunEnd& end);
  [[nodiscard]] RunEnd judge_end(Watched& run) const;
  void tell(Observation observation, bool wake);
  void look_at(int inotify_id);

  const Presets& presets_;
  Ended ended_;
  File epoll_;
  File inotify_;
  File wake_up_;

  std::mutex mutex_;
  bool quit_ = false;                                // guarded by mutex_
  std::vector<std::pair<std::string, int>> coming_;  // folders to be watched, children; guarded by mutex_
  std::map<RunId, Observation> changes_;             // guarded by mutex_
  std::function<void()> wake_;                       // guarded by mutex_

  std::map<std::string, std::unique_ptr<Watched>> runs_;  // by folder; the thread's own
  std::thread thread_;
};

}  // namespace townd
