#pragma once

#include <optional>
#include <string>

#include "core/assignment.hpp"
#include "ports/runtime.hpp"
#include "runtime/verdict.hpp"

namespace townd {

/// What townd itself keeps in a run's folder: whose run it is, so that a restarted daemon can report it, and how it
/// ended, so that its output is judged once.
struct RunAbout {
  RunId run_id;
  AgentId agent_id;
  BeadId bead_id;
  std::string preset;
};

/// The end of one attempt of a run.
struct RunEnd {
  int attempt = 1;
  RunVerdict verdict;
  int exit_code = 0;
  std::int64_t tokens = 0;
  std::int64_t cost_micro_usd = 0;
  MaybeInstant limited_until;
};

expected<void> write_about(const std::string& folder, const RunAbout& about);
std::optional<RunAbout> read_about(const std::string& folder);

expected<void> write_end(const std::string& folder, const RunEnd& end);
std::optional<RunEnd> read_end(const std::string& folder);

}  // namespace townd
