#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ports/store.hpp"

/// A history of two towns that is always the same, and what must be left of it wherever it was cut off.
namespace townd {

/// How far the two towns have come: 0 not founded, else 1 + the pieces of work.
struct Progress {
  std::int64_t a = 0;
  std::int64_t b = 0;
  friend bool operator==(const Progress&, const Progress&) = default;
};

struct Played {
  Progress acknowledged;
  std::string failure;  ///< of the first commit that was refused
};

/// Commits the history from `from` on, until something is refused. Every second round its commits share one
/// transaction.
Played play(Store& store, const Progress& from, int rounds);

/// What the whole transactions of `rounds` rounds lead through, from nothing on.
std::vector<Progress> milestones(int rounds);

/// How far a store's towns have come, with every table looked at: a half commit is a failed expectation.
Progress found_in(Store& store);

}  // namespace townd
