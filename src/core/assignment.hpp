#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/merge_queue.hpp"
#include "core/town.hpp"

namespace townd {

/// A request that a refinery run has to try, in order.
struct TrialRequest {
  BeadId bead_id;
  std::string title;
  std::string branch;
  std::string commit;
  RunId source_run_id;  ///< whose work it is: `refs/town/<run>` in the rig's repository
};

/// An earlier run on the same bead.
struct EarlierAttempt {
  RunId run_id;
  std::string outcome;
  std::string exit_reason;
};

/// A word between the mayor and people, or what the town told the mayor.
struct Said {
  bool by_mayor = false;
  std::string subject;
  TextRef body;
};

/// What is to be done next of work that is done in steps.
struct CurrentStep {
  BeadId molecule_id;
  Bead bead;
  std::size_t number = 1;  ///< from 1
  std::size_t of = 1;
};

/// Everything that a run is told: what its prompt, its environment and `town prime` are made from.
struct Assignment {
  TownId town_id;
  RunId run_id;
  RunKind kind = RunKind::work;
  Agent agent;
  Rig rig;                   ///< empty id for the mayor
  std::optional<Bead> bead;  ///< none for the mayor
  std::string preset;
  std::string branch;  ///< where its work goes: `gt/<name>/<bead>` or `convoy/<slug>/<id>/gt/<name>/<bead>`
  std::string target_branch;
  /// Where a fresh clone starts: the earlier run whose work is continued, or empty for the tip of `target_branch`.
  RunId continue_run_id;
  std::string start_commit;  ///< … where that run left nothing: what was handed in before, if anything was
  Strategy strategy = Strategy::direct;
  std::vector<std::string> gates;
  std::vector<EarlierAttempt> attempts;
  std::optional<Rework> rework;
  std::vector<TrialRequest> trial;  ///< of a refinery
  /// Of a refinery: what another trial has merged first, when this one is made on top of it, and who that is.
  std::vector<TrialRequest> expected;
  std::string expected_by;
  TrialCare care;            ///< of a refinery
  std::vector<Bead> triage;  ///< the questions of a triage batch
  std::optional<CurrentStep> step;
  TextRef checkpoint;
  std::string convoy_title;
  std::vector<Said> thread;  ///< of the mayor: the last words, oldest first; a new run goes on from them
};

inline constexpr std::size_t kThread = 20;  ///< words of the conversation that the mayor is reminded of

/// The assignment of a run that has not ended, or none when the run or its agent is unknown.
std::optional<Assignment> describe(const Town& town, const RunId& run);

/// Of the issue's molecule; none when it has no live one.
std::optional<CurrentStep> step_of(const Town& town, const BeadId& issue);
/// `gt/<agent>/<bead>`, beside the convoy's head when the work lands on a feature branch (reference-surface §c.7).
std::string branch_of(const Town& town, const Agent& agent, const Bead& bead);
/// Lower-case letters, digits and single dashes, at most 40 characters, never empty.
std::string slug(std::string_view text);
/// The branch that a request for `source` targets.
std::string target_branch_of(const Town& town, const Bead& source);

}  // namespace townd
