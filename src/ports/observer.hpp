#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/replay.hpp"
#include "core/town.hpp"
#include "ports/store.hpp"

namespace townd {

/// A tick whose commit is durable, and what came of it.
struct Ticked {
  const Town& town;  ///< as the tick left it
  const TickRecord& record;
  const TickResult& result;
  std::shared_ptr<const TickRecord> kept = {};  ///< the same record for whoever needs it longer; may be null
};

/// A tick that left nothing to remember.
struct QuietTick {
  const TownId& town;
  std::string_view trigger;
  Instant at;
  std::int64_t wall_us;
  std::span<const SignOfLife> life;
};

/// Something a person should see.
struct Alarm {
  std::string kind;  ///< a name such as `escalation`, `town_quarantined`, `invariant_7`
  TownId town;       ///< empty when it is about the whole node
  std::string message;
  std::int64_t tick = 0;     ///< 0 when no tick is to blame
  int invariant = 0;         ///< 0 when it is none's violation
  std::string subject = {};  ///< the bead, agent or rig that it is about
  std::string rule = {};     ///< that decided what was refused
};

/// Whoever watches: log, metrics, alerts, the stream of what happens. Never blocks and never fails. Called on the
/// engine's thread, but for `alarm`, which any thread may call. What somebody does not care for does nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void ticked(const Ticked& /*tick*/) {}
  virtual void ticked_quietly(const QuietTick& /*tick*/) {}
  /// What effects came to is durable, with a tick or without one.
  virtual void effects_ended(const TownId& /*town*/, const std::vector<StoredEffect>& /*outcomes*/) {}
  /// A recorded tick was decided again, and otherwise: the record was altered, or townd is not what it was.
  virtual void differs(const TownId& /*town*/, const Difference& /*difference*/) {}
  virtual void alarm(const Alarm& /*alarm*/) {}
  /// A town is in memory, or what is known about it has changed: `runs` is false while it cannot be run.
  virtual void in_memory(const Town& /*town*/, bool /*runs*/) {}
  /// It goes from memory.
  virtual void left_memory(const Town& /*town*/) {}
};

}  // namespace townd
