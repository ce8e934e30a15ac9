#pragma once

#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "core/replay.hpp"
#include "ports/store.hpp"

namespace townd {

/// Whoever watches: logs now, metrics and alerts later. Never blocks and never fails.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void ticked(const TownId& town, const TickRecord& record) = 0;
  /// A recorded tick was decided again, and otherwise: the record was altered, or townd is not what it was.
  virtual void differs(const TownId& town, const Difference& difference) = 0;
  /// Something a person should see. `kind` is a name such as `escalation` or `town_quarantined`.
  virtual void alert(const TownId& town, std::string_view kind, const std::string& message) = 0;
};

}  // namespace townd
