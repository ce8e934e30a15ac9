#pragma once

#include <string>
#include <vector>

#include "ports/store.hpp"

/// Small towns for tests of stores.
namespace townd::sample {

/// A town with one row of every kind, whose names begin with `prefix`. It was made by its first event and tick.
TownCommit founding(const std::string& prefix);
/// The `n`-th commit after the founding one: an event that is applied, a tick, a bead, its history, a text, an effect.
TownCommit work(const std::string& prefix, std::int64_t n);

/// Of a commit only the town's row and beads, with the digest that a town of all such rows so far (`image`) has, as a
/// real tick records it.
TownCommit truthful(TownCommit commit, TownImage& image);

TownId town_id(const std::string& prefix);
Instant at(std::int64_t minute);
RowChange put(AnyRow row);
RowChange gone(const AnyRow& row);
Bead bead(const std::string& prefix, std::int64_t n);
Event event(std::int64_t seq, EventBody body);
TickRecord tick(std::int64_t number);

/// Every row as one line of text, in the image's order: equal lists are equal towns.
std::vector<std::string> lines(const TownImage& image);
/// The rows of a commit, as `lines` would show them.
std::vector<std::string> lines(const std::vector<RowChange>& rows);

}  // namespace townd::sample
