#include "store/sqlite_store.hpp"

#include <future>
#include <utility>

#include "store/commit_writer.hpp"
#include "store/history_reader.hpp"
#include "store/schema.hpp"
#include "store/snapshots.hpp"
#include "store/town_reader.hpp"

namespace townd {

namespace {

/// Rows of each kind that pruning takes away at a time, so that commits wait no longer than for a large group.
constexpr int kPruneStep = 1000;

}  // namespace

expected<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& folder, SqliteOptions options) {
  expected<DataFolder> locked = DataFolder::lock(folder);
  if (!locked) return tl::unexpected<Error>(std::move(locked.error()));
  const expected<std::filesystem::path> file = locked->file(kFileName);
  if (!file) return tl::unexpected<Error>(file.error());
  expected<std::unique_ptr<SyncCounter>> layer = SyncCounter::over(options.file_layer);
  if (!layer) return tl::unexpected<Error>(std::move(layer.error()));
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(*locked), std::move(*layer)));  // NOLINT: private
  if (auto connected = store->connect(file->string(), std::move(options)); !connected)
    return tl::unexpected<Error>(std::move(connected.error()));
  return store;
}

SqliteStore::SqliteStore(DataFolder folder, std::unique_ptr<SyncCounter> file_layer)
    : folder_(std::move(folder)), file_layer_(std::move(file_layer)) {}

SqliteStore::~SqliteStore() = default;

expected<void> SqliteStore::connect(const std::string& path, SqliteOptions options) {
  using sqlite::Connection;
  auto writer = Connection::open(path, Connection::Mode::read_write, file_layer_->name());
  if (!writer) return tl::unexpected<Error>(std::move(writer.error()));
  writer_ = std::move(*writer);
  if (auto current = bring_up_to_date(*writer_, path, sqlite::migrations()); !current) return current;
  auto reader = Connection::open(path, Connection::Mode::read_only, file_layer_->name());
  if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
  reader_ = std::move(*reader);
  queue_ = std::make_unique<sqlite::CommitQueue>(*writer_, options.pages_before_move, std::move(options.written));
  return {};
}

template <class Read>
auto SqliteStore::reading(Read read) {
  const std::lock_guard lock(reading_);
  return read(*reader_);
}

template <class Write>
expected<void> SqliteStore::writing(Write write) {
  // Shared, because the writer's thread may still be inside set_value when this one goes on.
  const auto answer = std::make_shared<std::promise<expected<void>>>();
  queue_->push(std::move(write), [answer](const expected<void>& written) { answer->set_value(written); });
  return answer->get_future().get();
}

void SqliteStore::commit(TownCommit commit, Committed done) {
  // Shared only because a std::function must be copyable.
  const auto shared = std::make_shared<const TownCommit>(std::move(commit));
  queue_->push([shared](sqlite::Connection& db) { sqlite::write_commit(db, *shared); }, std::move(done));
}

expected<std::vector<TownId>> SqliteStore::towns() {
  return reading([](sqlite::Connection& db) { return sqlite::read_towns(db); });
}

expected<LoadedTown> SqliteStore::load(const TownId& town) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_town(db, town); });
}

expected<std::vector<EventRow>> SqliteStore::events(const TownId& town, const EventQuery& query) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_events(db, town, query); });
}

expected<std::vector<TickRow>> SqliteStore::ticks(const TownId& town, const TickQuery& query) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_ticks(db, town, query); });
}

expected<std::vector<Event>> SqliteStore::pending(const TownId& town) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_pending(db, town); });
}

expected<std::vector<StoredEffect>> SqliteStore::effects(const TownId& town, const std::vector<std::string>& keys) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_effects(db, town, keys); });
}

expected<std::vector<RecordedTick>> SqliteStore::recorded(const TownId& town, std::int64_t after, int limit) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_recorded(db, town, after, limit); });
}

expected<SnapshotMade> SqliteStore::keep_snapshot(const TownId& town) {
  const auto loaded = load(town);
  if (!loaded) return tl::unexpected<Error>(loaded.error());
  const auto packed = sqlite::pack(*loaded);
  if (!packed) return tl::unexpected<Error>(packed.error());
  const auto written = writing([&](sqlite::Connection& db) { sqlite::write_snapshot(db, town, *packed); });
  if (!written) return tl::unexpected<Error>(written.error());
  return SnapshotMade{packed->tick, packed->at};
}

expected<std::vector<SnapshotMade>> SqliteStore::snapshots(const TownId& town) {
  return reading([&](sqlite::Connection& db) { return sqlite::list_snapshots(db, town); });
}

expected<KeptSnapshot> SqliteStore::snapshot(const TownId& town, Instant latest) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_snapshot(db, town, latest); });
}

expected<std::vector<HistoryRow>> SqliteStore::history(const TownId& town, const BeadId& bead, int limit) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_history(db, town, bead, limit); });
}

expected<std::optional<std::string>> SqliteStore::text(const TownId& town, const Hash128& hash) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_text(db, town, hash); });
}

expected<std::int64_t> SqliteStore::add_agent_event(const TownId& town, const AgentId& agent, AgentEventRow row) {
  std::int64_t number = 0;
  const auto written =
      writing([&](sqlite::Connection& db) { number = sqlite::write_agent_event(db, town, agent, row); });
  if (!written) return tl::unexpected<Error>(written.error());
  return number;
}

expected<std::vector<AgentEventRow>> SqliteStore::agent_events(const TownId& town, const AgentId& agent,
                                                               std::int64_t after, int limit) {
  return reading([&](sqlite::Connection& db) { return sqlite::read_agent_events(db, town, agent, after, limit); });
}

expected<void> SqliteStore::put_token(const TokenRow& token) {
  return writing([&token](sqlite::Connection& db) { sqlite::write_token(db, token); });
}

expected<std::vector<TokenRow>> SqliteStore::tokens() {
  return reading([](sqlite::Connection& db) { return sqlite::read_tokens(db); });
}

expected<std::int64_t> SqliteStore::prune(Instant before) {
  std::int64_t total = 0;
  for (;;) {
    std::int64_t gone = 0;
    const expected<void> written =
        writing([&gone, before](sqlite::Connection& db) { gone = sqlite::forget(db, before, kPruneStep); });
    if (!written) return tl::unexpected<Error>(written.error());
    if (gone == 0) return total;
    total += gone;
  }
}

CommitCounters SqliteStore::counters() const {
  CommitCounters counters = queue_->counters();
  counters.syncs = file_layer_->syncs();
  return counters;
}

expected<void> SqliteStore::check() {
  return reading(
      [this](sqlite::Connection& db) { return sqlite::check_every_page(db, (folder_.path() / kFileName).string()); });
}

}  // namespace townd
