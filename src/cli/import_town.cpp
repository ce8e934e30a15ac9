#include "cli/import_town.hpp"

#include <algorithm>
#include <future>

#include "core/tick.hpp"
#include "store/sqlite_store.hpp"

namespace townd::cli {

namespace {

template <class Row>
void add_rows(std::vector<RowChange>& into, RowKey::Table table, const std::vector<Row>& rows) {
  // A row that is written is found by what it holds; only a removal needs the key.
  for (const Row& row : rows) into.push_back({RowKey{table, {}}, AnyRow(row)});
}

std::vector<RowChange> rows_of(const TownImage& image) {
  using T = RowKey::Table;
  std::vector<RowChange> rows{{RowKey{T::town, {}}, AnyRow(image.town)}};
  add_rows(rows, T::rig, image.rigs);
  add_rows(rows, T::bead, image.beads);
  add_rows(rows, T::agent, image.agents);
  add_rows(rows, T::run, image.runs);
  add_rows(rows, T::review, image.reviews);
  add_rows(rows, T::convoy, image.convoys);
  add_rows(rows, T::dependency, image.dependencies);
  add_rows(rows, T::nudge, image.nudges);
  add_rows(rows, T::mail, image.mail);
  add_rows(rows, T::deferred, image.deferred);
  return rows;
}

expected<void> must_be_new(Store& store, const TownRow& row) {
  const auto towns = store.towns();
  if (!towns) return tl::unexpected(towns.error());
  for (const TownId& id : *towns) {
    if (id == row.town_id)
      return fail(Error::Code::conflict, "there is a town " + id.text + " already",
                  "Import it into another data folder: town import FILE --data DIR");
    const auto loaded = store.load(id);
    if (!loaded) return tl::unexpected(loaded.error());
    if (loaded->image.town.prefix == row.prefix)
      return fail(Error::Code::conflict, "the town " + id.text + " has the prefix " + row.prefix + " already",
                  "Import it into another data folder: town import FILE --data DIR");
  }
  return {};
}

}  // namespace

expected<Imported> import_town(const std::string& data, const Snapshot& snapshot) {
  const auto store = SqliteStore::open(data);
  if (!store)
    return fail(store.error().code, store.error().what,
                "A town is imported while the daemon is down: town down, town import, town up");
  if (const auto fresh = must_be_new(**store, snapshot.image.town); !fresh) return tl::unexpected(fresh.error());

  TownCommit commit;
  commit.town_id = snapshot.image.town.town_id;
  commit.events = snapshot.events;
  commit.rows = rows_of(snapshot.image);
  commit.texts.assign(snapshot.texts.begin(), snapshot.texts.end());
  for (const Rig& rig : snapshot.image.rigs)
    commit.effects.push_back({"prepare_rig:" + rig.rig_id.text + ":import", effects::PrepareRig{rig.rig_id}});
  std::promise<expected<void>> written;
  (*store)->commit(std::move(commit), [&](const expected<void>& outcome) { written.set_value(outcome); });
  if (const auto outcome = written.get_future().get(); !outcome) return tl::unexpected(outcome.error());

  Imported imported{snapshot.image.town.town_id, snapshot.image.beads.size(), {}};
  for (const Violation& violation : check_everything(town_of(snapshot.image), snapshot.now))
    imported.violations.push_back(std::to_string(violation.invariant) + ": " + violation.message);
  return imported;
}

}  // namespace townd::cli
