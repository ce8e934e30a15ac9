#pragma once

#include "core/time.hpp"

namespace townd {

/// The only source of time outside core.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time; may jump. The engine never lets it go back.
  [[nodiscard]] virtual Instant now() const = 0;
};

}  // namespace townd
