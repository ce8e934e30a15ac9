#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ports/run_folder.hpp"
#include "runtime/local.hpp"

namespace townd::test {

/// A folder that goes with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);
bool exists(const std::string& path);
/// Waits until it holds, at most 30 s, by looking again and again; the longest that a loaded machine should need.
bool eventually(const std::function<bool()>& holds);
/// Whether a process with this number runs and is no zombie.
bool alive(int pid);
/// Runs a shell command that must succeed; its output.
std::string sh(const std::string& command);

/// townd-shim on a folder of its own, without the runtime.
class Shim {
 public:
  explicit Shim(run_folder::Spec spec, const std::string& input = "");
  ~Shim();
  void start();
  /// Waits for its end; what it wrote last.
  run_folder::Status wait();
  void signal(int number) const;
  [[nodiscard]] std::string log() const;
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  [[nodiscard]] int pid() const { return pid_; }
  int exit_code = -1;

 private:
  Folder folder_;
  int pid_ = 0;
};

/// A local runtime over a data folder with one rig, `x-1`, whose target `main` has one commit.
class Stage {
 public:
  Stage();
  ~Stage();
  /// The daemon ends without a word and another one comes up on the same folder.
  void restart_daemon();
  void close();

  /// A run of the preset `script`, unsandboxed, whose bead's body is `script`.
  AgentSpec script_run(const std::string& run, const std::string& script);
  LocalRuntime& runtime() { return *runtime_; }
  LocalSettings settings;

  /// The first observation of the run for which `wanted` holds; gathers the others.
  Observation observe(const std::string& run, const std::function<bool(const Observation&)>& wanted);
  Observation ended(const std::string& run);
  Observation running(const std::string& run);

  [[nodiscard]] std::string data() const { return folder_.path() + "/data"; }
  [[nodiscard]] std::string clone(const std::string& run) const { return data() + "/clones/" + run; }
  [[nodiscard]] std::string run_folder(const std::string& run) const { return data() + "/runs/" + run; }
  [[nodiscard]] std::string folder() const { return folder_.path(); }

 private:
  void open();

  Folder folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::unique_ptr<LocalRuntime> runtime_;
};

}  // namespace townd::test
