#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace townd {

/// A disk in memory, as a file layer of SQLite, that keeps apart what programs see and what has been synced. Power
/// cuts, failing operations and a full disk happen at a chosen step; a step is anything that changes the disk: a write,
/// a truncation, a sync, a file made or deleted.
class SimulatedDisk {
 public:
  SimulatedDisk();
  ~SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  /// The file layer's name for SQLite.
  [[nodiscard]] const std::string& name() const { return name_; }

  /// From this step on nothing reaches the disk any more.
  void cut_power_at(std::int64_t step) { cut_at_ = step; }
  [[nodiscard]] bool has_power() const { return steps_ <= cut_at_; }
  /// This one step answers `code`. A sync that fails loses what it should have kept, as Linux does: later syncs do not
  /// try it again.
  void fail_at(std::int64_t step, int code) {
    fail_at_ = step;
    fail_code_ = code;
  }
  void hold_at_most(std::int64_t bytes) { capacity_ = bytes; }
  void pretend_to_sync() { pretends_ = true; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] std::int64_t bytes_used() const;

  enum class Survivors {
    synced,      ///< exactly what was synced
    everything,  ///< also all that was written and not synced
    some,        ///< of that, half of the sectors, chosen by `seed`
  };
  /// What the disk holds after a power cut now, on a disk without faults.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> after_power_cut(Survivors which, std::uint64_t seed) const;
  /// The disk as programs see it, on a disk without faults.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> copy() const;

  /// A file's bytes, to look at and to damage. The path as it was opened.
  std::string& bytes(const std::string& path);
  [[nodiscard]] std::vector<std::string> paths() const;

 private:
  struct Change {
    std::int64_t offset = 0;
    std::string bytes;
    bool truncate = false;  ///< to `offset`
  };
  struct Handle;
  struct File {
    std::string now;
    std::string durable;
    std::vector<Change> unsynced;
    std::vector<std::unique_ptr<char[]>> shared_memory;
    // Locks of SQLite's file format, by handle.
    std::map<const Handle*, int> levels;
    std::map<const Handle*, std::uint8_t> shared_slots;
    std::map<const Handle*, std::uint8_t> exclusive_slots;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;
  /// What SQLite allocates for an open file; made and unmade by it.
  struct Handle : sqlite3_file {
    SimulatedDisk* disk;
    std::shared_ptr<File>* file;
    bool syncs_folder;  ///< its first sync makes the folder durable too, as SQLite's unix layer does for a WAL
  };

  static const sqlite3_io_methods& methods();
  static Handle& handle(sqlite3_file* file) { return *static_cast<Handle*>(file); }
  static SimulatedDisk& disk(sqlite3_vfs* vfs) { return *static_cast<SimulatedDisk*>(vfs->pAppData); }
  static void apply(std::string& content, const Change& change);

  int step(int failure);
  int open(const char* path, Handle& handle, int flags);
  int remove(const char* path, bool sync_folder);
  int write(File& file, const void* bytes, int size, std::int64_t offset);
  int truncate(File& file, std::int64_t size);
  int sync(Handle& handle);
  static int lock(Handle& handle, int level);
  static int lock_shared_memory(Handle& handle, int first, int count, int flags);

  std::string name_;
  sqlite3_vfs vfs_;
  mutable std::mutex mutex_;
  Names names_;
  Names durable_names_;
  std::int64_t steps_ = 0;
  std::int64_t cut_at_ = std::numeric_limits<std::int64_t>::max() / 2;
  std::int64_t fail_at_ = -1;
  int fail_code_ = SQLITE_OK;
  std::int64_t capacity_ = std::numeric_limits<std::int64_t>::max();
  bool pretends_ = false;
  std::uint32_t random_ = 1;
};

}  // namespace townd
