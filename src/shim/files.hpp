#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

namespace townd::shim {

/// An open file descriptor, closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The whole of a small file, at most 16 MiB; none when it cannot be read.
std::optional<std::string> read_file(const std::string& path);
/// Replaces `name` in `folder` by a rename, so that a reader sees the old or the new text.
bool replace_file(const std::string& folder, const std::string& name, const std::string& text);
/// Writes all bytes; false when it cannot.
bool write_all(int fd, const char* data, std::size_t size);

}  // namespace townd::shim
