#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/expected.hpp"

namespace townd {

/// A layer between SQLite and the operating system that only counts how often a file is made durable. Registered with
/// SQLite under its own name as long as it lives; it must outlive every connection that uses it.
class SyncCounter {
 public:
  /// Over the layer called `base`, or the default one when that is empty.
  static expected<std::unique_ptr<SyncCounter>> over(const std::string& base);
  ~SyncCounter();
  SyncCounter(const SyncCounter&) = delete;
  SyncCounter& operator=(const SyncCounter&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t syncs() const { return syncs_; }

 private:
  /// A base layer's methods with the sync replaced.
  struct CountedMethods {
    sqlite3_io_methods methods;  ///< first, so that a file's methods lead back to the whole
    const sqlite3_io_methods* real;
    SyncCounter* counter;
  };

  explicit SyncCounter(sqlite3_vfs* base);
  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out);
  static int sync(sqlite3_file* file, int flags);
  const CountedMethods& counted(const sqlite3_io_methods* real);

  std::string name_;
  sqlite3_vfs* base_;
  sqlite3_vfs vfs_;
  std::atomic<std::int64_t> syncs_{0};
  std::mutex opening_;
  std::vector<std::unique_ptr<CountedMethods>> methods_;  ///< one for each kind of file that the base layer knows
};

}  // namespace townd
