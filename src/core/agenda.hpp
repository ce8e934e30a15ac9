#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/table.hpp"
#include "core/time.hpp"

namespace townd {

/// The stages of a tick in their order (domain.md §4). Each looks at one kind of subject.
enum class Stage : std::uint8_t {
  agents,         ///< A
  issues,         ///< R1b, R3, R4, R6, W1
  hooked_agents,  ///< R2
  work_queue,     ///< R1; the subject is a rig
  town,           ///< R5, T1, B1
  requests,       ///< Q8, Q1, Q1b, Q9, Q4, Q2, Q3
  refineries,     ///< Q7, Q6
  merge_queue,    ///< Q5; the subject is a rig
  convoys,        ///< C
  gupp,           ///< G
  gc_agents,      ///< D1
  gc_beads,       ///< D2
  mayor,          ///< M1
  messages,       ///< M2, T3
  triage,         ///< T2
  escalations,    ///< T4
  molecules,      ///< W2
};
inline constexpr std::size_t kStages = 17;
std::string_view to_string(Stage stage);

using SubjectKey = Id<struct SubjectTag>;
/// The key of the town as a subject.
inline constexpr std::string_view kTownSubject = "town";

/// The fixed edges along which a change touches its neighbours.
enum class Edge : std::uint8_t {
  self,            ///< the row itself
  blocked,         ///< a bead → what it blocks
  request,         ///< a source → its merge requests
  source,          ///< a merge request → its source
  source_blocked,  ///< a merge request → what its source blocks
  convoy,          ///< a bead → the convoys it tracks
  source_convoy,   ///< a merge request → the convoys of its source
  tracked,         ///< a convoy → what tracks it
  hooked_agent,    ///< a bead → the agents hooked to it
  hook,            ///< an agent → its old and new hook
  child,           ///< a bead → its children
  parent,          ///< a bead → its parent
  blocker,         ///< a bead → what blocks it
  batch,           ///< a batch's head → its members
  work_queue,      ///< a bead or polecat → its rig's work queue
  merge_queue,     ///< a request or refinery → its rig's merge queue
  run_agent,       ///< a run → its agent
  run_bead,        ///< a run → its bead
  run_triage,      ///< a run or bead → triage requests about it
  recipient,       ///< a run or agent → the messages waiting for it
  message,         ///< a message → the mayor it wakes
  gate,            ///< the town's or a rig's gate → everybody who waits at it
  everything,      ///< a change of settings, drain or observation → all subjects
};
inline constexpr std::size_t kEdges = 23;
std::string_view to_string(Edge edge);

/// Which subjects must be looked at, and when. Touching too much costs time; touching too little is a bug that the
/// property test finds.
class Agenda {
 public:
  void touch(Stage stage, const SubjectKey& subject, Edge edge);
  /// Replaces what `subject` waited for; kNever means it waits for nothing but a touch.
  void wait(Stage stage, const SubjectKey& subject, Instant until);
  void forget(Stage stage, const SubjectKey& subject);
  /// Whether it is touched, or due at `by` or before.
  [[nodiscard]] bool expects(Stage stage, const SubjectKey& subject, Instant by) const;

  /// Everything whose time has come is looked at.
  void wake(Instant now);
  /// The first touched subject of a stage after `after` (or at all), taken off the list.
  bool take_next(Stage stage, const SubjectKey* after, SubjectKey& taken);
  [[nodiscard]] bool anything_touched() const;
  /// When the next waiting subject is due; kNever when nothing waits.
  [[nodiscard]] Instant next_due();
  /// From now on whatever is taken off is remembered, so that a dry run can put it back.
  void remember_looked();
  void restore_looked();
  /// How often each edge was touched since the town was made.
  [[nodiscard]] const std::array<std::uint64_t, kEdges>& touches() const { return touches_; }

 private:
  struct Due {
    Instant at;
    Stage stage;
    SubjectKey subject;
  };
  static bool later(const Due& a, const Due& b) { return a.at > b.at; }
  [[nodiscard]] bool current(const Due& due) const;
  void drop_outdated();

  std::array<std::set<SubjectKey>, kStages> touched_;
  std::array<Table<Instant, SubjectKey>, kStages> due_;
  std::vector<Due> heap_;  // min-heap by `at`; an entry that no longer agrees with due_ is outdated
  std::array<std::uint64_t, kEdges> touches_{};
  bool remembering_ = false;
  std::vector<std::pair<Stage, SubjectKey>> looked_;
};

}  // namespace townd
