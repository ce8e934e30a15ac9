#include "store/sqlite.hpp"

#include <cerrno>

namespace townd::sqlite {

namespace {

/// How long one statement waits for somebody else's lock, such as a person's `sqlite3 townd.db`.
constexpr int kBusyTimeoutMs = 2000;

bool no_space(sqlite3* db, int code) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  if ((code & 0xff) != SQLITE_IOERR || !db) return false;
  const int reason = sqlite3_system_errno(db);
  return reason == ENOSPC || reason == EDQUOT;
}

std::string hint_for_damage(const std::string& path) {
  return "Stop townd and keep a copy of the folder. Then restore a backup, or save what can be read with: sqlite3 '" +
         path + "' .recover";
}

}  // namespace

Error describe(sqlite3* db, int code, std::string_view doing, const std::string& path) {
  const std::string start = std::string(doing) + " failed: ";
  if (no_space(db, code))
    return {Error::Code::unavailable, start + "the disk that holds " + path + " is full",
            "Free some space there; what was already answered is safe, and townd goes on without a restart."};
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
      return {Error::Code::internal, start + path + " is damaged (" + sqlite3_errstr(code) + ")",
              hint_for_damage(path)};
    case SQLITE_NOTADB:
      return {Error::Code::internal, start + path + " is no SQLite database, or its first page is damaged",
              hint_for_damage(path)};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Error::Code::unavailable, start + path + " cannot be opened for writing (" + sqlite3_errstr(code) + ")",
              "Give townd's user write access to the file and its folder, or choose another folder with --data."};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Error::Code::unavailable, start + "another program holds a lock on " + path,
              "Close other programs that have the file open, such as a sqlite3 shell with an open transaction."};
    case SQLITE_IOERR:
      return {Error::Code::unavailable,
              start + "the disk answered with an error for " + path + " (" + sqlite3_errstr(code) + ")",
              "Look at the kernel's log (dmesg) for the disk's state."};
    default: {
      const std::string message = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
      return {Error::Code::internal, start + path + ": " + message, ""};
    }
  }
}

Rows::~Rows() {
  if (!statement_) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Rows::next() {
  if (!statement_ || !connection_->ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_->fail(sqlite3_extended_errcode(connection_->db_), "Reading");
  return false;
}

std::string_view Rows::text(int column) const {
  const auto* const bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Rows::blob(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

MaybeInstant Rows::maybe_instant(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return instant(column);
}

expected<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode, const std::string& vfs) {
  const int flags = (mode == Mode::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<Connection> connection(new Connection(db, path));  // NOLINT: the constructor is private
  if (code != SQLITE_OK) return tl::unexpected<Error>(describe(db, code, "Opening the store", path));
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // Only the writer ever checkpoints (WAL-reset bug of SQLite before 3.51.3).
  if (mode == Mode::read_only) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  connection->execute("PRAGMA cell_size_check = ON");
  if (mode == Mode::read_only) connection->execute("PRAGMA query_only = ON");
  if (auto failure = connection->take_failure()) return tl::unexpected<Error>(std::move(*failure));
  return connection;
}

Connection::~Connection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

bool Connection::execute(const std::string& script) {
  if (!ok()) return false;
  const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "Preparing the store");
  return code == SQLITE_OK;
}

std::int64_t Connection::number(Sql sql) {
  Rows rows = query(sql);
  return rows.next() ? rows.integer(0) : 0;
}

std::optional<Error> Connection::take_failure() {
  std::optional<Error> failure = std::move(failure_);
  failure_.reset();
  return failure;
}

void Connection::fail(int code, std::string_view doing) {
  if (!failure_) failure_ = describe(db_, code, doing, path_);
}

void Connection::roll_back() {
  if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

sqlite3_stmt* Connection::prepared(Sql sql) {
  if (!ok()) return nullptr;
  sqlite3_stmt*& statement = statements_[sql.text];
  if (!statement) {
    const int code = sqlite3_prepare_v3(db_, sql.text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code, "Using the store");
  }
  return statement;
}

bool Connection::finish(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  // The reason is asked for before the reset, which forgets it.
  if (code != SQLITE_DONE) fail(sqlite3_extended_errcode(db_), "Writing");
  sqlite3_reset(statement);
  return code == SQLITE_DONE;
}

}  // namespace townd::sqlite
