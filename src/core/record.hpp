#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/tick.hpp"

namespace townd {

/// How long the parts of a tick took, in microseconds of the clock on the wall.
struct PhaseTimes {
  std::int64_t drain = 0;
  std::int64_t reconcile = 0;
  std::int64_t digest = 0;
  std::int64_t rows = 0;  ///< what is to be written put together
};

/// What is remembered of one tick, with everything that running it again needs.
struct TickRecord {
  std::int64_t number = 0;
  Instant at;
  std::string trigger;  ///< `event`, `deadline`, `resync`, `follow_up`
  std::vector<SignOfLife> life;
  std::vector<Missed> missed;  ///< looked at although the agenda did not say so
  std::vector<EventOutcome> events;
  int config_version = 0;
  std::vector<Decided> decisions;
  std::vector<Violation> violations;
  std::vector<std::string> effects;  ///< keys of what it put in the outbox
  int effects_succeeded = 0;         ///< outcomes that arrived with it
  int effects_failed = 0;
  int pending_events = 0;
  std::int64_t wall_us = 0;  ///< the whole tick; the wait for the disk is not in it
  PhaseTimes phases_us;
  Hash128 digest;
};

/// Puts what a tick came to into its record: outcomes, decisions, violations, effects and digest.
void note_result(TickRecord& record, const TickResult& result);
/// The keys of what it put in the outbox.
std::vector<std::string> effect_keys(const TickResult& result);

/// A tick that was recorded, and the facts that it was given, in order; one that it tried again is not among them.
struct RecordedTick {
  TickRecord record;
  std::vector<Event> events;
};

}  // namespace townd
