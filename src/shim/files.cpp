#include "shim/files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

namespace townd::shim {

std::optional<std::string> read_file(const std::string& path) {
  constexpr std::size_t kLimit = 16u << 20;
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd) return std::nullopt;
  std::string text;
  char block[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > kLimit) return std::nullopt;
  }
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t put = ::write(fd, data, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    data += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

bool replace_file(const std::string& folder, const std::string& name, const std::string& text) {
  const std::string path = folder + "/" + name;
  const std::string fresh = path + ".new";
  Fd fd{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!fd || !write_all(fd.get(), text.data(), text.size())) return false;
  fd.close();
  return std::rename(fresh.c_str(), path.c_str()) == 0;
}

}  // namespace townd::shim
