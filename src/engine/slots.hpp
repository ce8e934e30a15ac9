#pragma once

#include <cstdint>
#include <vector>

namespace townd {

/// What one town has of the node's agents and what it could use.
struct SlotUse {
  int granted = 0;              ///< its share now
  int taken = 0;                ///< runs that occupy one
  int wanted = 0;               ///< taken, and what it could start at once
  std::int64_t last_given = 0;  ///< when its share last grew, as a count; who waited longer is served first
  bool used = true;             ///< something has run since then

  friend bool operator==(const SlotUse&, const SlotUse&) = default;
};

/// The share of each town, in the same order; their sum is at most `total` as far as what is occupied allows. Nobody
/// loses a share that is occupied, or one that was just given and not used; shares move only when somebody lacks one.
std::vector<int> share_out(const std::vector<SlotUse>& towns, int total);

}  // namespace townd
