#pragma once

#include <optional>

#include "core/town.hpp"
#include "ports/runtime.hpp"

namespace townd {

/// The sign of life in what was seen of a running agent; none in anything else.
std::optional<SignOfLife> sign_in(const Observation& seen, Instant now);
/// A process is there though its run is over for long enough that it should have ended by itself.
bool is_stray(const Town& town, const Observation& seen, Instant now);
/// The process is gone, or nobody knows it: something that can be a fact.
bool is_end(const Observation& seen);
/// What the end of a process is as a fact; none for a run that is over already.
std::optional<EventBody> fact_of_end(const Town& town, const Observation& seen);
/// It went without a word about its work, and not by a fault.
bool left_without_a_word(const Town& town, const Observation& seen);

}  // namespace townd
