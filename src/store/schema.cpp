#include "store/schema.hpp"

namespace townd::sqlite {

namespace {

constexpr std::int64_t kApplicationId = 0x746f776e;  // "town"; `file townd.db` shows it

expected<void> refuse_foreign(Connection& db, const std::string& path, std::int64_t known) {
  const std::int64_t application = db.number("PRAGMA application_id");
  const std::int64_t version = db.number("PRAGMA user_version");
  const std::int64_t tables = db.number("SELECT count(*) FROM sqlite_schema");
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  if (application != kApplicationId && (tables != 0 || version != 0))
    return fail(Error::Code::conflict, path + " is a SQLite database, but not one of townd's",
                "Move it away, or choose another folder with --data.");
  if (version > known)
    return fail(Error::Code::conflict,
                path + " was written by a newer townd (format " + std::to_string(version) +
                    "; this program knows up to " + std::to_string(known) + ")",
                "Start that newer townd, or restore a backup made with this one.");
  return {};
}

/// Before a crash the last transaction may have been written and not synced. Whoever reads it now acts on it, so it is
/// made durable first. After a clean close there is no WAL and this does nothing.
expected<void> make_durable(Connection& db, const std::string& path) {
  const int code = sqlite3_wal_checkpoint_v2(db.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  return tl::unexpected<Error>(describe(db.raw(), code, "Opening the store", path));
}

}  // namespace

expected<void> bring_up_to_date(Connection& db, const std::string& path, std::span<const char* const> scripts) {
  const auto known = static_cast<std::int64_t>(scripts.size());
  if (auto foreign = refuse_foreign(db, path, known); !foreign) return foreign;
  // The writer moves the WAL into the file itself, when it has answered (CommitQueue).
  db.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
      " PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;"
      " PRAGMA journal_size_limit = 67108864");
  db.run("BEGIN IMMEDIATE");
  const std::int64_t version = db.number("PRAGMA user_version");
  if (version < known) {
    for (std::int64_t next = version; next < known; ++next) db.execute(scripts[static_cast<std::size_t>(next)]);
    db.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
    db.execute("PRAGMA user_version = " + std::to_string(known));
  }
  db.run("COMMIT");
  if (auto failure = db.take_failure()) {
    db.roll_back();
    return tl::unexpected<Error>(std::move(*failure));
  }
  return make_durable(db, path);
}

expected<void> check_every_page(Connection& db, const std::string& path) {
  std::string finding;
  if (Rows rows = db.query("PRAGMA quick_check(1)"); rows.next()) finding = rows.text(0);
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  if (finding == "ok") return {};
  Error error = describe(nullptr, SQLITE_CORRUPT, "Checking the store", path);
  error.what += ": " + finding;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace townd::sqlite
