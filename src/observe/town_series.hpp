#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/rule.hpp"
#include "ports/observer.hpp"

/// The series of one value of the label `town`, found once and then only counted up.
namespace townd {

inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::rate_limited) + 1;
inline constexpr std::size_t kInvariants = 13;
inline constexpr std::size_t kActionTypes = std::variant_size_v<ActionBody>;
inline constexpr std::size_t kEffectKinds = std::variant_size_v<EffectBody>;
inline constexpr std::array<std::string_view, 4> kTriggers{"event", "deadline", "resync", "follow_up"};
inline constexpr std::array<std::string_view, 4> kEffectOutcomes{"attempted", "succeeded", "failed", "unknown"};

/// All families that have the label `town`, in one registry.
struct TownFamilies {
  explicit TownFamilies(prometheus::Registry& registry);

  using Counters = prometheus::Family<prometheus::Counter>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Histograms = prometheus::Family<prometheus::Histogram>;
  Histograms& tick_seconds;
  Counters& ticks;
  Gauges& last_tick;
  Counters& events;
  Counters& actions;
  Counters& stale;
  Counters& effects;
  Counters& violations;
  Counters& misses;
  Counters& mismatches;
  Gauges& pending;
  Gauges& quarantined;
  Gauges& in_doubt;
  Gauges& agents;
  Gauges& beads;
  Gauges& runs_itself;
  Gauges& paused;
  Gauges& draining;
  Gauges& live_runs;
  Gauges& silent;
  Counters& runs_ended;
  Gauges& breaker;
  Gauges& slots;
  Gauges& ready;
  Gauges& ready_head;
  Histograms& ready_wait;
  Histograms& dispatch;
  Counters& dispatches;
  Gauges& queue;
  Gauges& queue_head;
  Gauges& queue_paused;
  Counters& reviews;
  Counters& trials;
  Counters& tokens;
  Counters& cost;
};

/// Gauges of one rig of a town.
struct RigSeries {
  RigSeries(TownFamilies& families, const std::string& town, const std::string& rig);
  prometheus::Gauge& breaker;
  prometheus::Gauge& ready;
  prometheus::Gauge& ready_head;
  prometheus::Gauge& queue;
  prometheus::Gauge& queue_head;
  prometheus::Gauge& queue_paused;
};

struct TownSeries {
  TownSeries(TownFamilies& families, std::string label);

  /// The counter of what a rule did.
  prometheus::Counter& action(std::string_view rule, std::size_t type);
  RigSeries& rig(const std::string& name);
  /// The index of an effect's kind.
  static std::optional<std::size_t> effect(std::string_view kind);

  const std::string label;
  TownFamilies& families;
  prometheus::Histogram& tick_seconds;
  std::array<prometheus::Counter*, kTriggers.size()> ticks{};
  prometheus::Gauge& last_tick;
  prometheus::Counter& events;
  /// By where the rule's name is, which for a live rule is always the same place.
  std::unordered_map<const char*, std::array<prometheus::Counter*, kActionTypes>> actions;
  std::array<prometheus::Counter*, kActionTypes> stale{};
  std::array<std::array<prometheus::Counter*, kEffectOutcomes.size()>, kEffectKinds> effects{};
  std::array<prometheus::Counter*, kInvariants> violations{};
  prometheus::Counter& misses;
  prometheus::Counter& mismatches;
  prometheus::Gauge& pending;
  prometheus::Gauge& quarantined;
  prometheus::Gauge& in_doubt;
  std::array<prometheus::Gauge*, kAgentStatuses> agents{};
  std::array<std::array<prometheus::Gauge*, kBeadStatuses>, kBeadTypes> beads{};
  prometheus::Gauge& runs_itself;
  prometheus::Gauge& paused;
  prometheus::Gauge& draining;
  prometheus::Gauge& live_runs;
  prometheus::Gauge& silent;
  std::array<prometheus::Counter*, kOutcomes> runs_ended{};
  prometheus::Gauge& breaker;
  prometheus::Gauge& slots_free;
  prometheus::Gauge& slots_taken;
  prometheus::Histogram& ready_wait;
  prometheus::Histogram& dispatch;
  prometheus::Counter& started;
  prometheus::Counter& start_failed;
  std::map<std::string_view, prometheus::Counter*> reviews;
  std::map<std::string_view, prometheus::Counter*> trials;
  prometheus::Counter& tokens;
  prometheus::Counter& cost;
  std::map<std::string, RigSeries> rigs;
};

}  // namespace townd
