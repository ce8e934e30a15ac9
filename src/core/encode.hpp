#pragma once

#include <string>

#include "core/event.hpp"
#include "core/rows.hpp"

namespace townd {

/// The canonical binary form of a row, which the digest hashes. Each value is length- or presence-prefixed, so no two
/// rows encode alike. The order of fields is part of the digest: append, never reorder.
std::string encode(const TownRow& row);  ///< without its settings
std::string encode(const TownConfig& row);
std::string encode(const Rig& row);
std::string encode(const Bead& row);
std::string encode(const Agent& row);
std::string encode(const Run& row);
std::string encode(const Review& row);
std::string encode(const Convoy& row);
std::string encode(const Dependency& row);
std::string encode(const Nudge& row);
std::string encode(const Mail& row);
std::string encode(const DeferredEvent& row);

}  // namespace townd
