#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

/// A town as it is kept: canonical JSON in one zstd frame.
struct PackedSnapshot {
  std::int64_t tick = 0;
  Instant at;
  Hash128 digest;
  std::string image;
};

/// Packs what was loaded, and reads it back: an error when it is not what the last tick's digest says.
expected<PackedSnapshot> pack(const LoadedTown& loaded);
void write_snapshot(Connection& db, const TownId& town, const PackedSnapshot& snapshot);
expected<KeptSnapshot> read_snapshot(Connection& db, const TownId& town, Instant latest);

expected<std::vector<SnapshotMade>> list_snapshots(Connection& db, const TownId& town);
expected<std::vector<RecordedTick>> read_recorded(Connection& db, const TownId& town, std::int64_t after, int limit);

}  // namespace townd::sqlite
