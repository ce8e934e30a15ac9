#include "store/sync_counter.hpp"

namespace townd {

namespace {

std::atomic<std::int64_t> made{0};  // only to give every layer a name of its own

}  // namespace

expected<std::unique_ptr<SyncCounter>> SyncCounter::over(const std::string& base) {
  sqlite3_vfs* const found = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (!found) return fail(Error::Code::internal, "SQLite knows no file layer called '" + base + "'");
  return std::unique_ptr<SyncCounter>(new SyncCounter(found));  // NOLINT: the constructor is private
}

SyncCounter::SyncCounter(sqlite3_vfs* base) : name_("townd-" + std::to_string(++made)), base_(base), vfs_(*base) {
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = &SyncCounter::open;
  // Everything else is the base's own function. Those that look at their layer's data would see this object instead,
  // so they are led through.
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync_folder) {
    sqlite3_vfs* const real = static_cast<SyncCounter*>(vfs->pAppData)->base_;
    return real->xDelete(real, path, sync_folder);
  };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* answer) {
    sqlite3_vfs* const real = static_cast<SyncCounter*>(vfs->pAppData)->base_;
    return real->xAccess(real, path, flags, answer);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* path, int size, char* full) {
    sqlite3_vfs* const real = static_cast<SyncCounter*>(vfs->pAppData)->base_;
    return real->xFullPathname(real, path, size, full);
  };
  vfs_.xRandomness = [](sqlite3_vfs* vfs, int size, char* bytes) {
    sqlite3_vfs* const real = static_cast<SyncCounter*>(vfs->pAppData)->base_;
    return real->xRandomness(real, size, bytes);
  };
  sqlite3_vfs_register(&vfs_, 0);
}

SyncCounter::~SyncCounter() { sqlite3_vfs_unregister(&vfs_); }

int SyncCounter::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  auto* const self = static_cast<SyncCounter*>(vfs->pAppData);
  const int code = self->base_->xOpen(self->base_, path, file, flags, flags_out);
  if (file->pMethods) file->pMethods = &self->counted(file->pMethods).methods;
  return code;
}

int SyncCounter::sync(sqlite3_file* file, int flags) {
  const auto* const counted = reinterpret_cast<const CountedMethods*>(file->pMethods);
  ++counted->counter->syncs_;
  return counted->real->xSync(file, flags);
}

const SyncCounter::CountedMethods& SyncCounter::counted(const sqlite3_io_methods* real) {
  const std::lock_guard lock(opening_);
  for (const auto& known : methods_)
    if (known->real == real) return *known;
  auto made_for = std::make_unique<CountedMethods>(CountedMethods{*real, real, this});
  made_for->methods.xSync = &SyncCounter::sync;
  methods_.push_back(std::move(made_for));
  return *methods_.back();
}

}  // namespace townd
