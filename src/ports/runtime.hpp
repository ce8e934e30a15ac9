#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/assignment.hpp"
#include "core/event.hpp"
#include "core/expected.hpp"

namespace townd {

/// What one run may use. Named in docs/config.md; the defaults are interfaces.md's.
struct Limits {
  std::int64_t memory_bytes = 4LL << 30;
  int processes = 512;
  Duration wall = hours(4);
  std::int64_t log_bytes = 64LL << 20;
};

/// A text that the assignment names by hash, resolved.
using Texts = std::map<std::string, std::string>;  // hash in hex → text

struct AgentSpec {
  Assignment assignment;
  Texts texts;
  std::string token;  ///< the run's own; goes into its environment and nowhere else
  Limits limits;
};

/// `unknown` is never a reason to act.
enum class ProcessState { starting, running, exited, failed, not_found, unknown };

struct Observation {
  AgentId agent_id;
  RunId run_id;
  ProcessState state = ProcessState::unknown;
  int exit_code = 0;
  std::string reason;  ///< the outcome that the preset reads from exit and stream, or empty
  std::string detail;  ///< the last lines of its output, for people
  SignOfLife sign;     ///< of a running one, since the last observation
  MaybeInstant limited_until;
};

/// Starts, watches and ends agents. Every call may block and is made from the I/O pool, except `observe`.
class Runtime {
 public:
  virtual ~Runtime() = default;

  /// Makes the clone and starts the agent. Harmless when the run is already started; refused for good once `stop` has
  /// been called for it. The error's code says why: `unavailable` means the outcome is unknown, `forbidden` not logged
  /// in or not usable, `invalid` that the rig's own set-up failed, anything else refused.
  virtual expected<void> start(const AgentSpec& spec) = 0;
  /// Asks the same run to finish what it began: its preset's `resume` with share/prompts/reminder.md.
  virtual expected<void> remind(const AgentSpec& spec) = 0;
  virtual bool can_remind(const RunId& run) = 0;
  /// Returns when no process of the run is left; an unknown run is stopped. `unavailable`: ask again.
  virtual expected<void> stop(const RunId& run) = 0;
  /// Puts a message before the running agent.
  virtual expected<void> deliver(const RunId& run, const std::string& from, const std::string& text) = 0;

  /// What changed since the last call; never blocks. A run is reported again after a restart of the daemon.
  virtual std::vector<Observation> observe() = 0;
  /// `wake` is called from any thread when `observe` has something new that is not just a sign of life.
  virtual void on_change(std::function<void()> wake) = 0;
  /// Facts about the machine and the presets.
  virtual NodeFacts facts() = 0;
  /// The current log of a run from `offset`, at most `limit` bytes.
  virtual expected<std::string> log(const RunId& run, std::int64_t offset, std::int64_t limit) = 0;
};

}  // namespace townd
