#pragma once

#include <string>
#include <string_view>

#include "core/bundle.hpp"
#include "core/expected.hpp"

namespace townd {

/// `town-bundle/1`, packed with zstd: JSON with the snapshot, the ticks' records with the facts that each was given,
/// and what was pending. Texts stand as their hashes but where a fact brought them.
std::string write_bundle(const Bundle& bundle);

/// Packed or not. A town-snapshot/1 is read as a bundle in which nothing has happened yet.
expected<Bundle> read_bundle(std::string_view bytes);

}  // namespace townd
