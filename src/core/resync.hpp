#pragma once

#include <cstddef>
#include <vector>

#include "core/tick.hpp"

namespace townd {

/// The safety net beside the agenda (architecture.md, "A tick"): goes round the town a slice at a time and finds what a
/// rule would act on although the agenda does not expect it, and invariants that do not hold. In a sound town it never
/// finds anything.
class Resync {
 public:
  struct Found {
    std::vector<Missed> missed;
    std::vector<Violation> broken;
  };
  /// Looks at the next `rows` rows of a settled town and adds what it finds. Answers whether a round is complete.
  bool look(const Town& town, Instant now, std::size_t rows, Found& found);

 private:
  std::size_t place_ = 0;
};

}  // namespace townd
