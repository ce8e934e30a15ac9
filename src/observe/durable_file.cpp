#include "observe/durable_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace townd {
namespace {

bool write_all(int file, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t n = ::write(file, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

expected<void> write_durably(const std::filesystem::path& file, const std::string& text) {
  const std::string part = file.string() + ".part";
  ::unlink(part.c_str());
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool written = descriptor >= 0 && write_all(descriptor, text) && ::fsync(descriptor) == 0;
  int problem = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (written) {
    written = std::rename(part.c_str(), file.c_str()) == 0;
    problem = errno;
  }
  if (written) return {};
  ::unlink(part.c_str());
  return fail(Error::Code::unavailable, "cannot write " + file.string() + ": " + std::strerror(problem),
              "see whether the disk is full");
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace townd
