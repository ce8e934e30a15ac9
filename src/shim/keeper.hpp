#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ports/run_folder.hpp"
#include "shim/cgroup.hpp"
#include "shim/files.hpp"
#include "shim/log.hpp"
#include "shim/redactor.hpp"

namespace townd::shim {

/// Keeps one agent from start to end. One thread; everything that happens arrives through `poll`.
class Keeper {
 public:
  Keeper(std::string folder, run_folder::Spec spec);
  /// Runs set-up, then the command, and ends every process they leave. The keeper's exit code.
  int run();

 private:
  enum class Ending { no, by_itself, stop, wall, memory, processes };
  struct Exit {
    int code = 0;
    int signal = 0;
    Ending ending = Ending::by_itself;
  };

  /// One stage: the program with its input, until it and all its descendants are gone.
  Exit stage(const std::vector<std::string>& command, const std::string& input, bool private_environment,
             std::int64_t limit_ms);
  pid_t spawn(const std::vector<std::string>& command, int input, bool private_environment);
  /// Waits for something to happen and handles it; says why to end, if so.
  Ending watch(pid_t child, std::int64_t deadline_ms, Exit& exit);
  void drain_output();
  void reap(pid_t child, Exit& exit);
  Ending over_limit();
  void sign_of_life(bool now);

  /// TERM for everybody, time to end, then KILL until nobody is left.
  void end_descendants(pid_t child, Exit& exit);
  void end_living(pid_t child, Exit& exit);
  [[nodiscard]] std::vector<pid_t> living(int deeper_than) const;

  void report(const std::string& state, const Exit& exit);
  void set_up_signals();

  std::string folder_;
  run_folder::Spec spec_;
  run_folder::Status status_;
  Cgroup cgroup_;
  Log log_;
  Redactor redactor_;
  LineCounter counter_;
  Fd signals_;
  Fd output_;     ///< the end that the keeper reads
  Fd output_in_;  ///< the end that the agent writes
  bool child_ended_ = false;
  bool stop_asked_ = false;
  std::int64_t next_sample_ms_ = 0;
  std::int64_t next_heartbeat_ms_ = 0;
  std::int64_t reported_lines_ = -1;
};

}  // namespace townd::shim
