#pragma once

#include <atomic>

#include "ports/clock.hpp"

namespace townd::sim {

/// A clock that stands still until it is moved.
class FakeClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  void pass(Duration d) { at = at.load() + d; }

  std::atomic<Instant> at{Instant{1'700'000'000'000}};
};

}  // namespace townd::sim
