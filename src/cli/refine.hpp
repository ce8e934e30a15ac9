#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.hpp"
#include "core/merge_queue.hpp"

namespace townd {

struct RefineRequest {
  BeadId bead_id;
  std::string title;
  std::string commit;
};

/// One trial: these requests, in order, on this base, through these gates.
struct RefineInput {
  std::string clone;    ///< absolute; the run's own
  std::string scratch;  ///< a folder of the run's own outside of the clone
  std::string base;
  std::vector<RefineRequest> expected;  ///< merged on the base first: what another trial is at, which may land before
  std::string expected_by;              ///< the agent that makes that trial
  std::vector<RefineRequest> requests;
  std::vector<std::string> gates;  ///< shell commands
  std::chrono::milliseconds gate_timeout = std::chrono::minutes(30);
  TrialCare care;
  bool must_confine = false;  ///< gates that cannot be confined are not run: only the rig's owner may allow that
  std::function<void(std::string_view)> say = [](std::string_view) {};  ///< one line of progress
  std::function<void(std::string_view)> echo{};  ///< gets all that the gates print, as they print it
  std::string whole_output{};                    ///< where that can be read, said where output is cut
};

/// What `town refine` does: merges in the clone with --no-ff, runs the gates one after another until one fails, and
/// says what came of it. The same merges make the same commits, whoever makes them and when, so that a trial on top of
/// `expected` stands on the target once these have landed. Of several requests, those that conflict are left out.
/// Pushes nothing and decides nothing. The caller fills in agent and run.
///
/// Gates get a small environment without token or credentials, a network of their own with nothing but loopback and no
/// sight of other processes; where that cannot be had and `must_confine` is set, the trial ends with an error.
events::TrialResult refine(const RefineInput& input);

}  // namespace townd
