#pragma once

#include <cstddef>
#include <string_view>

#include "core/rows.hpp"
#include "core/town.hpp"

/// What a rig's merge queue knows (domain.md §6, trial): how many requests go into one trial, who is suspected, which
/// gates lie, and when the queue stops. Pure; the rule is rules/queue.cpp, the facts come in by apply_trials.cpp.
namespace townd {

/// Requests that a trial has at most.
inline constexpr int kBatchLimit = 32;
/// Trials in a row without a landing after which the queue pauses.
inline constexpr int kFruitlessTrials = 24;
/// How long it stays paused before it tries one request, and the target itself, again.
inline constexpr Duration kQueuePause = minutes(30);

/// Gates that take less, on average, are not worth another trial on top of one that is under way.
inline constexpr Duration kWorthTryingAhead = minutes(1);
/// What a coding agent has read waits this long at most for it to read what was handed in later.
inline constexpr Duration kReviewedTogether = hours(1);

/// How many requests to try together: what lands most for one run of the gates at the rate at which requests have been
/// sent back lately. A red trial of n is halved until the culprit stands alone, which takes log2 n more.
int batch_size(const MergeQueue& queue);

/// The requests of a target of which one is known to break a gate; null when there are none.
const Suspects* suspects_of(const MergeQueue& queue, std::string_view target_branch);

/// Whether a gate has failed often enough without a cause that gates which fail are tried again first.
bool flaky(const GateRecord& gate);

/// How far a trial goes before it calls a gate red.
struct TrialCare {
  bool retry_gate = false;  ///< a gate that fails is run again
  bool check_base = false;  ///< a gate that fails is run on the target alone: perhaps nothing passes it …
  std::string sound{};      ///< … and so it is for one request by itself, unless the target is this commit
};
/// For a trial of these requests onto this target.
TrialCare care_for(const MergeQueue& queue, std::string_view target_branch, const std::vector<BeadId>& requests);

/// Until when nothing is tried; nothing when the queue has not been paused. From then on one request is tried, with a
/// look at the target, and the pause is over when it passes.
MaybeInstant paused_until(const MergeQueue& queue);

// ---- what trials tell ----------------------------------------------------------------------------------------------

void pause(MergeQueue& queue, Instant now, std::string reason);
/// Ends the pause's waiting, if there is one.
void resume(MergeQueue& queue, Instant now);
/// Judged, of which so many were sent back.
void count_judged(MergeQueue& queue, int tried, int culprits);
void count_red(MergeQueue& queue, const std::string& gate);
/// The gate failed, and it was not the work.
void count_flake(MergeQueue& queue, const std::string& gate);
/// The target is sound: whatever failed lately was not the gates. `commit` is its tip, empty when it was not gated.
void target_is_sound(MergeQueue& queue, const std::string& commit);
/// These are suspected from now on, in place of all others of this target; none clears the target.
void suspect(MergeQueue& queue, Suspects suspects);
/// The request is no suspect any more, though nothing shows that it was not to blame.
void leave(MergeQueue& queue, std::string_view target_branch, const BeadId& request);
/// The request is not to blame. Answers the gate when nobody is: then it failed without a cause.
std::string acquit(MergeQueue& queue, std::string_view target_branch, const BeadId& request);

}  // namespace townd
