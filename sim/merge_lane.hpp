#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/assignment.hpp"
#include "core/merge_queue.hpp"
#include "core/tick.hpp"
#include "core/town.hpp"
#include "sim/random.hpp"

namespace townd::sim {

/// One rig's merge queue in front of the real rules, on a clock of its own: every tick is core's. What a refinery would
/// find out by running the gates is made up from who is broken; landings succeed at once.
class MergeLane {
 public:
  /// `most`: requests in one trial at most. One run of the gates takes `gate`.
  MergeLane(Duration gate, int most, std::uint64_t seed = 1);

  /// Work that has been handed in. Broken work makes the gates fail in every trial that has it.
  BeadId hand_in(bool broken, Priority priority = Priority::medium);
  /// These two break the gates together; each passes alone.
  void at_odds(const BeadId& one, const BeadId& other);
  /// Merging `later` conflicts once `earlier` is merged, in the same trial or before.
  void in_the_way(const BeadId& earlier, const BeadId& later);
  /// No trial that has it comes to an end.
  void poison(const BeadId& request) { poison_.insert(request); }
  /// Its landing waits for a person.
  void wants_a_person(const BeadId& request) { wants_a_person_.insert(request); }
  /// A coding agent reads each request first, for 10 minutes; of these it wants something changed.
  void review_first();
  void dislike(const BeadId& request) { disliked_.insert(request); }
  /// The person who made it takes it back.
  void cancel(const BeadId& request);
  /// It is deleted, and all that was known of it.
  void remove(const BeadId& request);
  /// The target gets a commit that nobody asked townd for.
  void push_behind_our_back() { tip_ = "push-" + std::to_string(++pushed_); }

  /// Until nothing is under way and nothing waits, or for so long.
  void run(Duration most);

  int lanes = 1;               ///< runs of the gates that the machine makes at a time
  double flakes = 0;           ///< of a hundred runs of the gates, so many fail without a cause
  bool reviewers_lie = false;  ///< the coding agent says that the gates have passed on what it has read
  bool target_broken = false;  ///< the gates fail on the target alone

  [[nodiscard]] std::size_t landed() const { return landed_.size(); }
  [[nodiscard]] std::size_t sent_back() const;
  [[nodiscard]] bool landed(const BeadId& request) const { return landed_.contains(request); }
  [[nodiscard]] Instant landed_at(const BeadId& request) const { return landed_.at(request); }
  [[nodiscard]] Instant handed_in_at(const BeadId& request) const { return handed_in_.at(request); }
  [[nodiscard]] const MergeQueue& queue() const { return town_.rig(rig_)->queue; }
  [[nodiscard]] const Town& town() const { return town_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::size_t waiting() const { return town_.index(rig_).queue.size(); }

  int trials = 0;
  int reviews = 0;       ///< by the coding agent; no trials
  int trials_ahead = 0;  ///< of these, on top of one that was under way
  int gate_runs = 0;
  std::vector<std::size_t> sizes;       ///< of each trial
  std::vector<std::string> violations;  ///< invariants that were broken, none in a sound queue

 private:
  struct Under {
    events::TrialResult result;
    std::vector<BeadId> merged, before;
    TrialCare care;
    bool review = false;
    MaybeInstant at;  ///< when it reports; nothing while it waits for a lane
  };
  void tick_now();
  void start(const RunId& run);
  void land(const BeadId& head);
  void use_lanes();
  void report(const RunId& run, Under under);
  bool gates_pass(const Under& under, const std::vector<BeadId>& merged);
  void judge(Under& under);
  std::vector<BeadId> merge(const std::vector<TrialRequest>& requests, const std::vector<BeadId>& on,
                            std::vector<events::TrialConflict>& conflicts) const;
  std::string commit_on(const std::string& base, const std::vector<BeadId>& merged) const;
  void tell(EventBody body) { told_.push_back({++seq_, now_, std::move(body)}); }

  const Duration gate_;
  Random random_;
  Town town_;
  const RigId rig_{"rig"};
  Instant now_{1'782'907'200'000};
  std::int64_t seq_ = 0;
  std::int64_t made_ = 0;
  std::string tip_ = "base";
  int pushed_ = 0;
  std::vector<Event> told_;
  std::map<RunId, Under> under_way_;
  std::set<BeadId> broken_, poison_, wants_a_person_, disliked_;
  std::set<std::pair<BeadId, BeadId>> at_odds_, in_the_way_;
  std::map<BeadId, Instant> handed_in_, landed_;
};

}  // namespace townd::sim
