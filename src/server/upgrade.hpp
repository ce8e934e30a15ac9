#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/replay.hpp"
#include "ports/store.hpp"

namespace townd {

/// How much of the past this townd is tried on before it goes on with it.
inline constexpr Duration kUpgradeReach = hours(24);

/// Ticks of a town's last 24 hours that this townd decides otherwise than the one that recorded them.
struct UpgradeFinding {
  std::int64_t ticks = 0;  ///< decided again
  std::vector<DifferingTick> otherwise;
  std::string apart;       ///< where the towns part although the decisions are alike; empty when nowhere
  std::string unreadable;  ///< why it could not be looked at; empty when it was
};
/// May take long; from any thread.
UpgradeFinding try_on_past(Store& store, const TownId& town, Instant now);
/// `3 of 120 ticks of the last 24 h would be decided otherwise, first tick 17 (beads.assign, now nothing)`; empty when
/// none would.
std::string in_words(const UpgradeFinding& finding);

/// What was found of the towns for which something was.
class UpgradeReport {
 public:
  void add(const TownId& town, UpgradeFinding finding);
  /// In words; empty when nothing was found.
  [[nodiscard]] std::string of(const TownId& town) const;

 private:
  mutable std::mutex mutex_;
  std::map<TownId, std::string> found_;
};

/// Whether this very program has been found to agree with what `data` remembers.
class KnownProgram {
 public:
  explicit KnownProgram(std::string data);
  [[nodiscard]] bool known() const;
  void remember() const;

 private:
  std::string file_;
  std::string program_;  ///< hash of the running program
};

}  // namespace townd
