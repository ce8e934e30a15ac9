#pragma once

#include <filesystem>

#include "core/expected.hpp"

namespace townd {

/// A data folder that nobody else uses as long as this object lives: the lock is flock's, so it ends with the process
/// however that ends.
class DataFolder {
 public:
  /// Makes the folder (0700) when it does not exist.
  static expected<DataFolder> lock(const std::filesystem::path& folder);
  ~DataFolder();
  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// The path of a file in it, made empty and for the owner only (0600) when it does not exist.
  [[nodiscard]] expected<std::filesystem::path> file(const std::string& name) const;

 private:
  DataFolder(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace townd
