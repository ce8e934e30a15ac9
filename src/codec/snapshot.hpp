#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/event.hpp"
#include "core/expected.hpp"
#include "core/image.hpp"

namespace townd {

/// A whole town at a moment, as a file (`town-snapshot/1`; interfaces.md, Files).
struct Snapshot {
  TownImage image;
  Instant now;
  std::vector<Event> events;  ///< pending: recorded, not applied, not deferred
  TextBook texts;             ///< what the rows name by hash
};

/// JSON, or JSON packed with zstd. An unknown key is an error with its place; an absent one has the value in the
/// scenarios' `defaults`.
expected<Snapshot> read_snapshot(std::string_view bytes);
expected<Snapshot> snapshot_from_json(const json::value& document);

/// Canonical: keys sorted, rows sorted by id, one row on a line. A text that `texts` lacks is written as its hash.
std::string write_snapshot(const Snapshot& snapshot);

}  // namespace townd
