#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "observe/log.hpp"
#include "ports/observer.hpp"

namespace townd {

/// Tells the log what ticks did: one line for each decision, with the id of its action (`<tick>.<n>`), one for each
/// effect that it asked for and one for what the effect came to, both with that id; one for each violation and event
/// that did not apply, and at debug level one for the tick. Titles, bodies and prompts are not in it.
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

  /// Of effects that are under way; more are told of without it.
  static constexpr std::size_t kWanted = 10'000;
  struct Wanted {
    std::string tick;
    std::string action;  ///< empty: a fact asked for it
  };

  Log& log_;
  std::map<std::pair<std::string, std::string>, Wanted> wanted_;  ///< by town and key
};

}  // namespace townd
