#pragma once

#include <span>
#include <string>
#include <vector>

#include "observe/log.hpp"
#include "ports/observer.hpp"

namespace townd {

/// Tells the log what ticks did: one line for each decision, with the id of its action (`<tick>.<n>`), one for each
/// effect that it asked for, with that id, and one for what the effect came to; one for each violation and event that
/// did not apply, and at debug level one for the tick. Titles, bodies and prompts are not in it.
class LogObserver final : public Observer {
 public:
  explicit LogObserver(Log& log) : log_(log) {}
  void ticked(const Ticked& tick) override;
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) override;
  void differs(const TownId& town, const Difference& difference) override;
  void alarm(const Alarm& alarm) override;

 private:
  void log_effects(const std::string& town, const std::string& tick, const std::string& action,
                   std::span<const Effect> effects);

  Log& log_;
};

}  // namespace townd
