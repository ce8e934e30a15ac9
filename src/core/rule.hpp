#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/action.hpp"
#include "core/agenda.hpp"
#include "core/town.hpp"

namespace townd {

/// Why something is not done now. The first block is the gate's (`may_dispatch`), in its order; `because()` words it.
enum class Reason : std::uint8_t {
  none,  ///< the rule does not concern the subject
  terminal,
  rig_broken,
  rig_untrusted,
  paused,
  draining,
  held,
  blocked,
  run_live,
  attempts_spent,
  backoff,
  breaker_rig,
  breaker_town,
  provider_limited,
  no_slot,
  disk_low,
  budget,
  // other reasons
  heard_recently,
  waiting_for_start,
  runtime_unreachable,
  stop_under_way,
  young,
  hooked_elsewhere,
  agent_alive,
  queue_behind,
  review_live,
  forge_refused,
  waiting_for_person,
  landing_held,
  verifying,
  poll_not_due,
  merge_under_way,
  children_live,
  failed_child,
  empty_convoy,
  staged,
  landing_live,
  landing_backoff,
  respawn_suppressed,
  recently_nudged,
  tools_active,
  referred_to,
  recipient_absent,
  in_flight,
  no_mail,
  batch_live,
  refused_before,
  no_rig,
  unassignable,
  being_worked_on,
  molecule_step,
  steps_open,
  queue_paused,
  suspects_first,
  reviews_first,
  unpublished,
  publishing,
  forge_rests,
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::forge_rests) + 1;
std::string_view to_string(Reason reason);  ///< `no_slot`
std::string_view because(Reason reason);    ///< a clause for people: "the rig's polecats are all busy"

struct Act {
  std::vector<ActionBody> actions;
};
/// Nothing now; `until` is the first instant at which the answer can differ if nothing changes.
struct Wait {
  Instant until;
  Reason because = Reason::none;
};
/// Nothing until something about the subject changes.
struct Hold {
  Reason because = Reason::none;
};
using Decision = std::variant<Hold, Wait, Act>;

enum Answers : std::uint8_t { kActs = 1, kWaits = 2, kHolds = 4 };

/// A rule is a pure function of one subject. For the two queues the subject is one bead of the queue.
struct Rule {
  std::string_view id;  ///< `beads.assign`
  Stage stage;
  std::uint8_t answers;  ///< which of Act, Wait and Hold it can give
  Decision (*decide)(const Town& town, const SubjectKey& subject, Instant now);
  std::string_view line;  ///< one line for docs/rules.md and `town why`
};

/// All rules, in the order in which they are asked.
std::span<const Rule> rules();
std::span<const Rule> rules_of(Stage stage);

/// What the gate answers about one dispatch.
struct Gate {
  Reason reason = Reason::none;  ///< none: go
  Instant until = kNever;        ///< when to ask again, if time alone can change it
  bool probe = false;            ///< go, as the probe of an open breaker
  [[nodiscard]] bool open() const { return reason == Reason::none; }
  /// Not about this bead alone: whatever stands behind it in its rig's queue, or in any queue, waits as well.
  [[nodiscard]] bool rig_wide() const;
  [[nodiscard]] bool town_wide() const;
};

/// The gate for every dispatch without exception (domain.md §4): the first reason against it.
Gate may_dispatch(const Town& town, const Bead& bead, Instant now);
Gate may_dispatch_mayor(const Town& town, const Agent& mayor, Instant now);
Duration backoff(const Constants& constants, int attempts);

}  // namespace townd
