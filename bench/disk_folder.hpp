#pragma once

#include <linux/magic.h>
#include <sys/vfs.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "core/expected.hpp"

namespace townd::bench {

/// A data folder in the current one, which must be on a real disk; gone when this object is.
class DiskFolder {
 public:
  DiskFolder() : path_(std::filesystem::current_path() / "bench-data") {
    struct statfs where {};
    if (statfs(".", &where) != 0 || where.f_type == TMPFS_MAGIC || where.f_type == RAMFS_MAGIC)
      throw std::runtime_error("the current folder is in memory; run this where a commit reaches a disk");
    std::filesystem::remove_all(path_);
  }
  ~DiskFolder() { std::filesystem::remove_all(path_); }
  DiskFolder(const DiskFolder&) = delete;
  DiskFolder& operator=(const DiskFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

template <class T>
T must(expected<T> value) {
  if (!value) throw std::runtime_error(value.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace townd::bench
