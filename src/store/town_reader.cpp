#include "store/town_reader.hpp"

#include <algorithm>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "codec/actions.hpp"
#include "codec/rows.hpp"
#include "store/history_reader.hpp"

namespace townd::sqlite {

namespace {

/// Has the numbers from 0 up to `count` dealt with, by all cores when there are many. Returns when all of them are.
void in_shares(std::size_t count, const std::function<void(std::size_t from, std::size_t to)>& deal) {
  constexpr std::size_t kWorthAThread = 1'000;
  const std::size_t threads =
      std::clamp<std::size_t>(count / kWorthAThread, 1, std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::jthread> others;
  for (std::size_t share = 1; share < threads; ++share)
    others.emplace_back(deal, count * share / threads, count * (share + 1) / threads);
  deal(0, count / threads);
}

/// Reads the parts of one town; the first thing that cannot be read ends it.
class TownReader {
 public:
  TownReader(Connection& db, const TownId& town) : db_(db), town_(town.text) {}

  expected<LoadedTown> read() {
    LoadedTown loaded;
    if (!read_town_row(loaded.image.town)) return failed();
    read_rows(loaded.image);
    read_dependencies(loaded.image.dependencies);
    read_pending(loaded.pending);
    read_outbox(loaded.outbox);
    read_counters(loaded);
    if (failure_ || !db_.ok()) return failed();
    return loaded;
  }

 private:
  tl::unexpected<Error> failed() {
    auto of_sqlite = db_.take_failure();
    return tl::unexpected<Error>(of_sqlite ? std::move(*of_sqlite) : std::move(*failure_));
  }

  bool damaged(std::string_view table, const Error& why) {
    if (!failure_)
      failure_ = Error{Error::Code::internal,
                       "Town " + town_ + " cannot be read: a row of the table " + std::string(table) + " is damaged (" +
                           why.what + ")",
                       "Restore a backup, or put the row right with sqlite3 while townd is stopped."};
    return false;
  }

  bool read_town_row(TownRow& row) {
    std::vector<TownRow> found;
    read_table("towns", RowKey::Table::town, found, db_.query("SELECT row FROM towns WHERE town_id = ?1", town_));
    if (failure_ || !db_.ok()) return false;
    if (found.empty()) {
      failure_ = Error{Error::Code::not_found, "There is no town " + town_ + " in the store", ""};
      return false;
    }
    row = std::move(found.front());
    return true;
  }

  void read_rows(TownImage& image) {
    read_table("rigs", RowKey::Table::rig, image.rigs, db_.query("SELECT row FROM rigs WHERE town_id = ?1", town_));
    read_table("beads", RowKey::Table::bead, image.beads,
               db_.query("SELECT row FROM beads WHERE town_id = ?1 AND archived = 0", town_));
    read_table("agents", RowKey::Table::agent, image.agents,
               db_.query("SELECT row FROM agents WHERE town_id = ?1", town_));
    read_table("runs", RowKey::Table::run, image.runs,
               db_.query("SELECT row FROM runs WHERE town_id = ?1 AND archived = 0", town_));
    read_table("reviews", RowKey::Table::review, image.reviews,
               db_.query("SELECT row FROM reviews WHERE town_id = ?1 AND archived = 0", town_));
    read_table("convoys", RowKey::Table::convoy, image.convoys,
               db_.query("SELECT row FROM convoys WHERE town_id = ?1 AND archived = 0", town_));
    read_table("nudges", RowKey::Table::nudge, image.nudges,
               db_.query("SELECT row FROM nudges WHERE town_id = ?1", town_));
    read_table("mail", RowKey::Table::mail, image.mail, db_.query("SELECT row FROM mail WHERE town_id = ?1", town_));
    read_table("deferred_events", RowKey::Table::deferred, image.deferred,
               db_.query("SELECT row FROM deferred_events WHERE town_id = ?1", town_));
    sort(image);
  }

  template <class Row>
  void read_table(std::string_view table, RowKey::Table kind, std::vector<Row>& out, Rows rows) {
    std::vector<std::string> texts;
    while (!failure_ && rows.next()) texts.emplace_back(rows.text(0));
    out.resize(texts.size());
    std::mutex mutex;
    in_shares(texts.size(), [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        expected<AnyRow> row = decode_row(kind, texts[i]);
        if (row) {
          out[i] = std::get<Row>(std::move(*row));
        } else {
          const std::lock_guard lock(mutex);
          damaged(table, row.error());
        }
      }
    });
  }

  /// Core's order of ids is by length first, which no index of SQLite has. Rows are large: each is moved once at most.
  template <class Row, class Key>
  static void sort_by(std::vector<Row>& rows, Key key) {
    if (std::ranges::is_sorted(rows, {}, key)) return;
    std::vector<Row*> order;
    order.reserve(rows.size());
    for (Row& row : rows) order.push_back(&row);
    std::ranges::sort(order, {}, [key](const Row* row) -> decltype(auto) { return std::invoke(key, *row); });
    std::vector<Row> sorted;
    sorted.reserve(rows.size());
    for (Row* row : order) sorted.push_back(std::move(*row));
    rows = std::move(sorted);
  }

  static void sort(TownImage& image) {
    sort_by(image.rigs, &Rig::rig_id);
    sort_by(image.beads, &Bead::bead_id);
    sort_by(image.agents, &Agent::agent_id);
    sort_by(image.runs, &Run::run_id);
    sort_by(image.reviews, &Review::bead_id);
    sort_by(image.convoys, &Convoy::bead_id);
    sort_by(image.nudges, &Nudge::nudge_id);
    sort_by(image.mail, &Mail::mail_id);
    sort_by(image.deferred, [](const DeferredEvent& deferred) { return deferred.event->seq; });
  }

  void read_dependencies(std::vector<Dependency>& out) {
    Rows rows = db_.query(
        "SELECT bead_id, depends_on_bead_id, dependency_type FROM bead_dependencies WHERE town_id = ?1", town_);
    while (rows.next())
      out.push_back({BeadId(rows.text(0)), BeadId(rows.text(1)),
                     rows.text(2) == "blocks" ? DependencyKind::blocks : DependencyKind::tracks});
    sort_by(out, std::identity{});
  }

  void read_pending(std::vector<Event>& out) {
    if (auto pending = pending_in(db_, TownId(town_)))
      out = std::move(*pending);
    else
      damaged("town_events", pending.error());
  }

  void read_outbox(std::vector<StoredEffect>& out) {
    Rows rows = db_.query(
        "SELECT key, kind, body, state, attempts, detail FROM effects"
        " WHERE town_id = ?1 AND state IN ('pending', 'unknown') ORDER BY id",
        town_);
    while (!failure_ && rows.next()) {
      if (expected<StoredEffect> effect = effect_in(rows))
        out.push_back(std::move(*effect));
      else
        damaged("effects", effect.error());
    }
  }

  void read_counters(LoadedTown& loaded) {
    if (Rows rows = db_.query("SELECT coalesce(max(seq), 0) FROM town_events WHERE town_id = ?1", town_); rows.next())
      loaded.next_seq = rows.integer(0) + 1;
    if (Rows rows = db_.query("SELECT tick, at FROM snapshots WHERE town_id = ?1 ORDER BY tick DESC LIMIT 1", town_);
        rows.next()) {
      loaded.snapshot_tick = rows.integer(0);
      loaded.snapshot_at = rows.instant(1);
    }
    Rows rows =
        db_.query("SELECT number, at, digest FROM ticks WHERE town_id = ?1 ORDER BY number DESC LIMIT 1", town_);
    if (!rows.next()) return;
    loaded.next_tick = rows.integer(0) + 1;
    loaded.last_tick_at = rows.instant(1);
    loaded.last_digest = Hash128::from_hex(rows.text(2));
  }

  Connection& db_;
  const std::string& town_;
  std::optional<Error> failure_;
};

}  // namespace

expected<std::vector<TownId>> read_towns(Connection& db) {
  std::vector<TownId> towns;
  {
    Rows rows = db.query("SELECT town_id FROM towns");
    while (rows.next()) towns.emplace_back(rows.text(0));
  }
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  std::sort(towns.begin(), towns.end());
  return towns;
}

expected<LoadedTown> read_town(Connection& db, const TownId& town) {
  db.run("BEGIN");  // all tables as of one commit
  expected<LoadedTown> loaded = TownReader(db, town).read();
  db.run("COMMIT");
  if (auto failure = db.take_failure()) {
    db.roll_back();
    if (loaded) return tl::unexpected<Error>(std::move(*failure));
  }
  return loaded;
}

}  // namespace townd::sqlite
