#pragma once

#include <vector>

#include "core/image.hpp"

namespace townd::bench {

/// The moment at which the town of a benchmark without a clock stands.
inline constexpr Instant kNow{1'800'000'000'000};

/// `live` live issues in rigs of 100: 5% in progress, each with a working agent heard at `now`, and behind each of them
/// a chain of open issues that wait for one another; live/100 closed ones besides, which is what is left in the value
/// of three times as many closed as live.
TownImage image_of_size(int live, Instant now = kNow);

/// The same as a town in which everything has been looked at and nothing is left to decide.
Town settled_town(int live);

/// The working agents, ordered so that neighbours in the list are of different rigs.
std::vector<AgentId> working_agents(const Town& town);

}  // namespace townd::bench
