#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/expected.hpp"

namespace townd {

/// An owned file descriptor.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The whole of one of townd's own files; none when it is not there or larger than `limit`.
std::optional<std::string> read_whole(const std::string& path, std::size_t limit = 4u << 20);
/// Replaces one of townd's own files by a rename, mode 0600.
expected<void> replace_whole(const std::string& path, std::string_view text);
/// Makes a folder and those above it, mode 0700.
expected<void> make_folders(const std::string& path);

/// Opens a regular file of a folder that others may write: never through a link, never above the folder, never a pipe
/// or a device. The error names `relative`.
expected<std::string> read_beneath(const std::string& folder, const std::string& relative, std::size_t limit);
/// Writes a new file there, making the folders between; one that is there already is replaced unless it is no regular
/// file.
expected<void> write_beneath(const std::string& folder, const std::string& relative, std::string_view text, int mode);

}  // namespace townd
