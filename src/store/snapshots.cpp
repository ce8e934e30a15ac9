#include "store/snapshots.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "codec/compression.hpp"
#include "codec/snapshot.hpp"
#include "codec/ticks.hpp"
#include "codec/time_text.hpp"
#include "store/history_reader.hpp"

namespace townd::sqlite {

namespace {

constexpr int kSnapshotFormat = 1;

/// The image in `packed`, if it has this digest.
expected<TownImage> unpack(std::string_view packed, const Hash128& digest) {
  auto snapshot = townd::read_snapshot(packed);
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (town_of(snapshot->image).digest() != digest)
    return fail(Error::Code::internal, "it is not the town that its digest says", "the file was altered or damaged");
  return std::move(snapshot->image);
}

/// Facts by seq, each read from the table once at most.
class Facts {
 public:
  Facts(Connection& db, const TownId& town) : db_(db), town_(town) {}

  /// Reads all between two numbers at once: ticks that follow one another were given facts that do.
  expected<void> read(std::int64_t first, std::int64_t last) {
    Rows rows = db_.query(
        "SELECT seq, created_at, event_type, agent_id, bead_id, payload, format FROM town_events"
        " WHERE town_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
        town_.text, first, last);
    while (rows.next()) {
      auto event = event_in(rows);
      if (!event)
        return fail(event.error().code, "event " + std::to_string(rows.integer(0)) + ": " + event.error().what,
                    event.error().hint);
      known_.emplace(event->seq, std::move(*event));
    }
    return {};
  }

  expected<Event> take(std::int64_t seq) {
    if (!known_.contains(seq))
      if (const auto found = read(seq, seq); !found) return tl::unexpected(found.error());
    auto node = known_.extract(seq);
    if (node.empty())
      return fail(Error::Code::not_found, "event " + std::to_string(seq) + " is no longer there",
                  "begin at a later time");
    return std::move(node.mapped());
  }

 private:
  Connection& db_;
  const TownId& town_;
  std::map<std::int64_t, Event> known_;
};

}  // namespace

expected<PackedSnapshot> pack(const LoadedTown& loaded) {
  if (!loaded.last_digest)
    return fail(Error::Code::unavailable, "the town has no tick yet", "try again after its first");
  Snapshot snapshot;
  snapshot.image = loaded.image;
  snapshot.now = loaded.last_tick_at;
  PackedSnapshot packed{loaded.next_tick - 1, loaded.last_tick_at, *loaded.last_digest,
                        compress(townd::write_snapshot(snapshot))};
  if (const auto same = unpack(packed.image, packed.digest); !same)
    return fail(same.error().code, "the snapshot cannot be used: " + same.error().what, same.error().hint);
  return packed;
}

void write_snapshot(Connection& db, const TownId& town, const PackedSnapshot& snapshot) {
  db.run("INSERT OR REPLACE INTO snapshots (town_id, tick, format, at, digest, image) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
         town.text, snapshot.tick, kSnapshotFormat, snapshot.at, snapshot.digest.hex(), Blob{snapshot.image});
}

expected<KeptSnapshot> read_snapshot(Connection& db, const TownId& town, Instant latest) {
  KeptSnapshot kept;
  {
    Rows rows = db.query(
        "SELECT tick, at, format, digest, image FROM snapshots WHERE town_id = ?1 AND at <= ?2 ORDER BY tick DESC",
        town.text, latest);
    while (rows.next()) {
      kept.tick = rows.integer(0);
      kept.at = rows.instant(1);
      const auto unusable = [&](const std::string& why) {
        kept.unusable.push_back("the snapshot after tick " + std::to_string(kept.tick) + ": " + why);
      };
      if (rows.integer(2) > kSnapshotFormat) {
        unusable("a newer townd wrote it");
        continue;
      }
      auto image = unpack(rows.blob(4), Hash128::from_hex(rows.text(3)));
      if (image) {
        kept.image = std::move(*image);
        return kept;
      }
      unusable(image.error().what);
    }
  }
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  std::string earliest = "nothing of this town is kept yet";
  if (Rows rows = db.query("SELECT min(at) FROM snapshots WHERE town_id = ?1", town.text);
      rows.next() && rows.maybe_instant(0))
    earliest = "the earliest moment that can be gone back to is " +  // what comes after it is decided again
               to_text(*rows.maybe_instant(0) + Duration{1});
  if (!kept.unusable.empty()) earliest = kept.unusable.back() + "; take a later time";
  return fail(Error::Code::not_found, "there is no snapshot at " + to_text(latest) + " or before", earliest);
}

expected<std::vector<SnapshotMade>> list_snapshots(Connection& db, const TownId& town) {
  std::vector<SnapshotMade> all;
  Rows rows = db.query("SELECT tick, at FROM snapshots WHERE town_id = ?1 ORDER BY tick", town.text);
  while (rows.next()) all.push_back({rows.integer(0), rows.instant(1)});
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  return all;
}

expected<std::vector<RecordedTick>> read_recorded(Connection& db, const TownId& town, std::int64_t after, int limit) {
  std::vector<RecordedTick> ticks;
  Facts facts(db, town);
  std::int64_t first = 0, last = 0;
  {
    Rows rows = db.query("SELECT number, record FROM ticks WHERE town_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
                         town.text, after, limit);
    while (rows.next()) {
      auto record = decode_tick(rows.text(1));
      if (!record)
        return fail(record.error().code, "tick " + std::to_string(rows.integer(0)) + ": " + record.error().what,
                    record.error().hint);
      for (const EventOutcome& outcome : record->events) {
        if (outcome.again) continue;
        first = first == 0 ? outcome.seq : std::min(first, outcome.seq);
        last = std::max(last, outcome.seq);
      }
      ticks.push_back({std::move(*record), {}});
    }
  }
  if (first > 0)
    if (const auto read = facts.read(first, last); !read) return tl::unexpected(read.error());
  for (RecordedTick& tick : ticks)
    for (const EventOutcome& outcome : tick.record.events) {
      if (outcome.again) continue;
      auto event = facts.take(outcome.seq);
      if (!event) return tl::unexpected(event.error());
      tick.events.push_back(std::move(*event));
    }
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  return ticks;
}

}  // namespace townd::sqlite
