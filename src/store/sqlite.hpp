#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/expected.hpp"
#include "core/time.hpp"

namespace townd::sqlite {

/// A statement's text; always a literal, so that its address can name it in the statement cache.
struct Sql {
  const char* text;
  template <std::size_t N>
  consteval Sql(const char (&literal)[N]) : text(literal) {}  // NOLINT: literals convert on purpose
};

/// SQLite's answer put into words for the one who has to act on it.
Error describe(sqlite3* db, int code, std::string_view doing, const std::string& path);

/// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

class Connection;

/// The rows that a statement answers with. Back in the cache when it goes.
class Rows {
 public:
  Rows(Connection& connection, sqlite3_stmt* statement) : connection_(&connection), statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// False at the end, and on a failure: ask the connection which.
  bool next();
  /// Valid until the next call of `next`.
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] Instant instant(int column) const { return Instant{integer(column)}; }
  [[nodiscard]] MaybeInstant maybe_instant(int column) const;

 private:
  Connection* connection_;
  sqlite3_stmt* statement_;  ///< null when it could not be prepared
};

/// One SQLite connection with its prepared statements. The first failure sticks: what follows does nothing until
/// `take_failure`, so a sequence of statements is written without asking after each. Not for two threads at once.
class Connection {
 public:
  enum class Mode { read_write, read_only };
  /// `vfs` names SQLite's layer to the operating system; empty is the default one.
  static expected<std::unique_ptr<Connection>> open(const std::string& path, Mode mode, const std::string& vfs);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement to its end. Texts need not outlive the call.
  template <class... Values>
  bool run(Sql sql, const Values&... values) {
    sqlite3_stmt* const statement = prepared(sql);
    if (!statement) return false;
    int position = 0;
    (bind(statement, ++position, values, SQLITE_STATIC), ...);
    return finish(statement);
  }

  template <class... Values>
  Rows query(Sql sql, const Values&... values) {
    sqlite3_stmt* const statement = prepared(sql);
    int position = 0;
    if (statement) (bind(statement, ++position, values, SQLITE_TRANSIENT), ...);
    return Rows(*this, statement);
  }

  /// Runs a script that is not kept: pragmas, migrations.
  bool execute(const std::string& script);
  /// The first column of the first row, 0 without one.
  std::int64_t number(Sql sql);

  /// Rows that the last `run` changed.
  [[nodiscard]] std::int64_t changes() const { return sqlite3_changes(db_); }
  [[nodiscard]] bool ok() const { return !failure_; }
  /// What failed since the last call, if anything.
  std::optional<Error> take_failure();
  void fail(int code, std::string_view doing);
  /// Takes back an open transaction, also after a failure.
  void roll_back();
  [[nodiscard]] sqlite3* raw() const { return db_; }

 private:
  friend class Rows;
  Connection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}

  sqlite3_stmt* prepared(Sql sql);
  bool finish(sqlite3_stmt* statement);

  using Lifetime = sqlite3_destructor_type;
  static void bind(sqlite3_stmt* statement, int position, std::string_view text, Lifetime lifetime) {
    const char* const bytes = text.data() ? text.data() : "";  // a null pointer would be NULL, not an empty text
    sqlite3_bind_text64(statement, position, bytes, text.size(), lifetime, SQLITE_UTF8);
  }
  static void bind(sqlite3_stmt* statement, int position, const std::string& text, Lifetime lifetime) {
    bind(statement, position, std::string_view(text), lifetime);
  }
  static void bind(sqlite3_stmt* statement, int position, const Blob& blob, Lifetime lifetime) {
    sqlite3_bind_blob64(statement, position, blob.bytes.data(), blob.bytes.size(), lifetime);
  }
  static void bind(sqlite3_stmt* statement, int position, std::int64_t value, Lifetime /*lifetime*/) {
    sqlite3_bind_int64(statement, position, value);
  }
  static void bind(sqlite3_stmt* statement, int position, int value, Lifetime /*lifetime*/) {
    sqlite3_bind_int64(statement, position, value);
  }
  static void bind(sqlite3_stmt* statement, int position, bool value, Lifetime /*lifetime*/) {
    sqlite3_bind_int64(statement, position, value ? 1 : 0);
  }
  static void bind(sqlite3_stmt* statement, int position, Instant value, Lifetime /*lifetime*/) {
    sqlite3_bind_int64(statement, position, value.ms);
  }
  template <class Value>
  static void bind(sqlite3_stmt* statement, int position, const std::optional<Value>& value, Lifetime lifetime) {
    if (value)
      bind(statement, position, *value, lifetime);
    else
      sqlite3_bind_null(statement, position);
  }

  sqlite3* db_;
  std::string path_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::optional<Error> failure_;
};

}  // namespace townd::sqlite
