#pragma once

#include "observe/log.hpp"
#include "ports/observer.hpp"

namespace townd {

/// Tells the log what ticks did: one line for each decision, one for each violation and event that did not apply, and
/// at debug level one for the tick. Titles, bodies and prompts are not in it.
class LogObserver final : public Observer {
 public:
  explicit LogObserver(Log& log) : log_(log) {}
  void ticked(const TownId& town, const TickRecord& record) override;
  void differs(const TownId& town, const Difference& difference) override;
  void alert(const TownId& town, std::string_view kind, const std::string& message) override;

 private:
  Log& log_;
};

}  // namespace townd
