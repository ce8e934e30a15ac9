#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace townd::shim {

/// Groups of the kernel for one run, where this user may make them: v2 where it is delegated, else v1 controllers,
/// else none. What a group cannot hold, sampling does.
class Cgroup {
 public:
  Cgroup() = default;
  /// Makes the groups below the keeper's own and sets what limits they know.
  static Cgroup make(const std::string& run_id, std::int64_t memory_bytes, std::int64_t processes);
  /// Takes up those that an earlier keeper of the run has left.
  explicit Cgroup(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  [[nodiscard]] const std::vector<std::string>& folders() const { return folders_; }
  /// Called in the child before exec: whatever it starts is in the groups too. Async-signal-safe.
  void enter() const;
  [[nodiscard]] std::vector<pid_t> members() const;
  /// Kills every member at once where the kernel can (v2).
  void kill() const;
  /// True when the kernel ended a member for its memory.
  [[nodiscard]] bool out_of_memory() const;
  void remove() const;

 private:
  void add(const std::string& parent, const std::string& name);

  std::vector<std::string> folders_;
  std::vector<std::string> entries_;  ///< the files that `enter` writes to
};

}  // namespace townd::shim
