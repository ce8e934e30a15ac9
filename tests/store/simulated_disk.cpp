#include "simulated_disk.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>

namespace townd {

namespace {

constexpr std::size_t kSector = 512;
std::atomic<int> made{0};

}  // namespace

SimulatedDisk::SimulatedDisk() : name_("simulated-disk-" + std::to_string(++made)), vfs_(*sqlite3_vfs_find(nullptr)) {
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = sizeof(Handle);
  vfs_.pAppData = this;
  vfs_.xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    if (flags_out) *flags_out = flags;
    return disk(vfs).open(path, handle(file), flags);
  };
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync_folder) {
    return disk(vfs).remove(path, sync_folder != 0);
  };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int, int* answer) {
    const std::lock_guard lock(disk(vfs).mutex_);
    *answer = disk(vfs).names_.count(path) ? 1 : 0;
    return SQLITE_OK;
  };
  vfs_.xFullPathname = [](sqlite3_vfs*, const char* path, int size, char* full) {
    sqlite3_snprintf(size, full, "%s", path);
    return SQLITE_OK;
  };
  vfs_.xRandomness = [](sqlite3_vfs* vfs, int size, char* bytes) {
    for (int i = 0; i < size; ++i) {
      std::uint32_t& state = disk(vfs).random_;
      state = state * 1664525u + 1013904223u;
      bytes[i] = static_cast<char>(state >> 24);
    }
    return size;
  };
  sqlite3_vfs_register(&vfs_, 0);
}

SimulatedDisk::~SimulatedDisk() { sqlite3_vfs_unregister(&vfs_); }

std::int64_t SimulatedDisk::bytes_used() const {
  const std::lock_guard lock(mutex_);
  std::int64_t used = 0;
  for (const auto& [path, file] : names_) used += static_cast<std::int64_t>(file->now.size());
  return used;
}

std::string& SimulatedDisk::bytes(const std::string& path) { return names_.at(path)->now; }

std::vector<std::string> SimulatedDisk::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, file] : names_) paths.push_back(path);
  return paths;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::copy() const { return after_power_cut(Survivors::everything, 0); }

std::unique_ptr<SimulatedDisk> SimulatedDisk::after_power_cut(Survivors which, std::uint64_t seed) const {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  const auto coin = [&] { return (random() & 1) != 0; };
  auto after = std::make_unique<SimulatedDisk>();
  Names names = which == Survivors::everything ? names_ : durable_names_;
  if (which == Survivors::some)  // each file made or deleted since the folder was synced may be so or not
    for (const auto& [path, file] : names_)
      if (!names.count(path) && coin()) names[path] = file;
  if (which == Survivors::some)
    for (const auto& [path, file] : durable_names_)
      if (!names_.count(path) && coin()) names.erase(path);
  for (const auto& [path, file] : names) {
    auto kept = std::make_shared<File>();
    kept->now = which == Survivors::everything ? file->now : file->durable;
    if (which == Survivors::some)
      for (const Change& change : file->unsynced)
        for (std::size_t from = 0; from < std::max<std::size_t>(change.bytes.size(), 1); from += kSector)
          if (coin())
            apply(kept->now, {change.offset + static_cast<std::int64_t>(from), change.bytes.substr(from, kSector),
                              change.truncate});
    kept->durable = kept->now;
    after->names_[path] = after->durable_names_[path] = kept;
  }
  return after;
}

void SimulatedDisk::apply(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.truncate) return content.resize(std::min(content.size(), offset));
  if (content.size() < offset + change.bytes.size()) content.resize(offset + change.bytes.size());
  content.replace(offset, change.bytes.size(), change.bytes);
}

/// Counts one step; `failure` is what it answers without power.
int SimulatedDisk::step(int failure) {
  const std::int64_t now = steps_++;
  if (now >= cut_at_) return failure;
  return now == fail_at_ ? fail_code_ : SQLITE_OK;
}

int SimulatedDisk::open(const char* path, Handle& handle, int flags) {
  const std::lock_guard lock(mutex_);
  handle.pMethods = nullptr;
  const bool known = path && names_.count(path);
  std::shared_ptr<File> file;
  if (known) {
    file = names_[path];
  } else {
    if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
    if (path)
      if (const int code = step(SQLITE_CANTOPEN); code != SQLITE_OK) return code;
    file = std::make_shared<File>();
    if (path) names_[path] = file;
  }
  handle.disk = this;
  handle.file = new std::shared_ptr<File>(file);  // NOLINT: SQLite owns the handle; xClose deletes it
  handle.syncs_folder = !known && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  handle.pMethods = &methods();
  return SQLITE_OK;
}

int SimulatedDisk::remove(const char* path, bool sync_folder) {
  const std::lock_guard lock(mutex_);
  if (!names_.count(path)) return SQLITE_IOERR_DELETE_NOENT;
  if (const int code = step(SQLITE_IOERR_DELETE); code != SQLITE_OK) return code;
  names_.erase(path);
  if (sync_folder) durable_names_ = names_;
  return SQLITE_OK;
}

int SimulatedDisk::write(File& file, const void* bytes, int size, std::int64_t offset) {
  const std::int64_t grown = offset + size - static_cast<std::int64_t>(file.now.size());
  std::int64_t used = 0;
  for (const auto& [path, other] : names_) used += static_cast<std::int64_t>(other->now.size());
  const int code = step(SQLITE_IOERR_WRITE);
  if (code == SQLITE_OK && grown > 0 && used + grown > capacity_) return SQLITE_FULL;
  // The write that the cut or the fault falls into may yet have reached the disk, or part of it.
  Change change{offset, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size)), false};
  if (code == SQLITE_OK) apply(file.now, change);
  if (steps_ <= cut_at_ + 1) file.unsynced.push_back(std::move(change));
  return code;
}

int SimulatedDisk::truncate(File& file, std::int64_t size) {
  const int code = step(SQLITE_IOERR_TRUNCATE);
  if (code != SQLITE_OK) return code;
  const Change change{size, {}, true};
  apply(file.now, change);
  file.unsynced.push_back(change);
  return SQLITE_OK;
}

int SimulatedDisk::sync(Handle& handle) {
  File& file = **handle.file;
  const int code = step(SQLITE_IOERR_FSYNC);
  if (pretends_) return code;
  if (code == SQLITE_OK) {
    for (const Change& change : file.unsynced) apply(file.durable, change);
    if (handle.syncs_folder) durable_names_ = names_;
    handle.syncs_folder = false;
  }
  if (steps_ <= cut_at_) file.unsynced.clear();
  return code;
}

int SimulatedDisk::lock(Handle& handle, int level) {
  File& file = **handle.file;
  for (const auto& [other, held] : file.levels) {
    if (other == &handle) continue;
    if (level == SQLITE_LOCK_SHARED && held >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
    if (level >= SQLITE_LOCK_RESERVED && held >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && held >= SQLITE_LOCK_SHARED) return SQLITE_BUSY;
  }
  file.levels[&handle] = std::max(file.levels[&handle], level);
  return SQLITE_OK;
}

int SimulatedDisk::lock_shared_memory(Handle& handle, int first, int count, int flags) {
  File& file = **handle.file;
  const auto slots = static_cast<std::uint8_t>(((1 << count) - 1) << first);
  const auto others_hold = [&](const std::map<const Handle*, std::uint8_t>& held) {
    return std::any_of(held.begin(), held.end(),
                       [&](const auto& one) { return one.first != &handle && (one.second & slots) != 0; });
  };
  auto& held = (flags & SQLITE_SHM_EXCLUSIVE) ? file.exclusive_slots[&handle] : file.shared_slots[&handle];
  if (flags & SQLITE_SHM_UNLOCK) {
    held = static_cast<std::uint8_t>(held & ~slots);
    return SQLITE_OK;
  }
  if (others_hold(file.exclusive_slots)) return SQLITE_BUSY;
  if ((flags & SQLITE_SHM_EXCLUSIVE) && others_hold(file.shared_slots)) return SQLITE_BUSY;
  held = static_cast<std::uint8_t>(held | slots);
  return SQLITE_OK;
}

const sqlite3_io_methods& SimulatedDisk::methods() {
  using File_ = sqlite3_file;
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](File_* f) {
      Handle& h = handle(f);
      const std::lock_guard lock(h.disk->mutex_);
      File& file = **h.file;
      file.levels.erase(&h);
      file.shared_slots.erase(&h);
      file.exclusive_slots.erase(&h);
      delete h.file;
      return SQLITE_OK;
    };
    m.xRead = [](File_* f, void* into, int size, sqlite3_int64 offset) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      const std::string& now = (*handle(f).file)->now;
      const std::size_t from = std::min(now.size(), static_cast<std::size_t>(offset));
      const std::size_t length = std::min(now.size() - from, static_cast<std::size_t>(size));
      std::memcpy(into, now.data() + from, length);
      std::memset(static_cast<char*>(into) + length, 0, static_cast<std::size_t>(size) - length);
      return length == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
    };
    m.xWrite = [](File_* f, const void* bytes, int size, sqlite3_int64 offset) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      return handle(f).disk->write(**handle(f).file, bytes, size, offset);
    };
    m.xTruncate = [](File_* f, sqlite3_int64 size) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      return handle(f).disk->truncate(**handle(f).file, size);
    };
    m.xSync = [](File_* f, int) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      return handle(f).disk->sync(handle(f));
    };
    m.xFileSize = [](File_* f, sqlite3_int64* size) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      *size = static_cast<sqlite3_int64>((*handle(f).file)->now.size());
      return SQLITE_OK;
    };
    m.xLock = [](File_* f, int level) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      return SimulatedDisk::lock(handle(f), level);
    };
    m.xUnlock = [](File_* f, int level) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      (*handle(f).file)->levels[&handle(f)] = level;
      return SQLITE_OK;
    };
    m.xCheckReservedLock = [](File_* f, int* answer) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      const auto& levels = (*handle(f).file)->levels;
      *answer =
          std::any_of(levels.begin(), levels.end(), [](const auto& one) { return one.second >= SQLITE_LOCK_RESERVED; });
      return SQLITE_OK;
    };
    m.xFileControl = [](File_*, int, void*) { return SQLITE_NOTFOUND; };
    m.xSectorSize = [](File_*) { return 4096; };
    m.xDeviceCharacteristics = [](File_*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
    m.xShmMap = [](File_* f, int region, int size, int extend, void volatile** into) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      auto& regions = (*handle(f).file)->shared_memory;
      *into = nullptr;
      if (static_cast<std::size_t>(region) >= regions.size() && !extend) return SQLITE_OK;
      while (static_cast<std::size_t>(region) >= regions.size())
        regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
      *into = regions[static_cast<std::size_t>(region)].get();
      return SQLITE_OK;
    };
    m.xShmLock = [](File_* f, int first, int count, int flags) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      return lock_shared_memory(handle(f), first, count, flags);
    };
    m.xShmBarrier = [](File_* f) { const std::lock_guard lock(handle(f).disk->mutex_); };
    m.xShmUnmap = [](File_* f, int remove) {
      const std::lock_guard lock(handle(f).disk->mutex_);
      if (remove) (*handle(f).file)->shared_memory.clear();
      return SQLITE_OK;
    };
    return m;
  }();
  return table;
}

}  // namespace townd
