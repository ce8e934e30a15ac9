#include "runtime/files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace townd {
namespace {

int open_beneath(int folder, const std::string& relative, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, relative.c_str(), &how, sizeof how));
}

tl::unexpected<Error> failed(const std::string& doing) {
  return fail(Error::Code::unavailable, doing + ": " + std::strerror(errno));
}

bool put_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

/// Everything up to `limit`; none when there is more or it cannot be read.
std::optional<std::string> take_all(int fd, std::size_t limit) {
  std::string text;
  char block[16384];
  for (;;) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > limit) return std::nullopt;
  }
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::string> read_whole(const std::string& path, std::size_t limit) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  return file ? take_all(file.get(), limit) : std::nullopt;
}

expected<void> replace_whole(const std::string& path, std::string_view text) {
  const auto fresh = path + ".new";
  {
    const File file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file || !put_all(file.get(), text)) return failed("writing " + path);
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return failed("writing " + path);
  return {};
}

expected<void> make_folders(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole{path};
  std::filesystem::path sofar;
  for (const auto& part : whole) {
    sofar /= part;
    if (::mkdir(sofar.c_str(), 0700) != 0 && errno != EEXIST && !std::filesystem::is_directory(sofar, error))
      return failed("making the folder " + path);
  }
  return {};
}

expected<std::string> read_beneath(const std::string& folder, const std::string& relative, std::size_t limit) {
  const File root{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return failed("opening " + folder);
  // Without O_NONBLOCK a pipe would hold us until somebody writes to it.
  const File file{open_beneath(root.get(), relative, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)};
  if (!file) return failed("reading " + relative + " in " + folder);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return failed("reading " + relative);
  if (!S_ISREG(info.st_mode)) return fail(Error::Code::invalid, relative + " in " + folder + " is no regular file");
  if (static_cast<std::size_t>(info.st_size) > limit)
    return fail(Error::Code::too_large,
                relative + " in " + folder + " is larger than " + std::to_string(limit) + " bytes");
  auto text = take_all(file.get(), limit);
  if (!text) return failed("reading " + relative + " in " + folder);
  return std::move(*text);
}

expected<void> write_beneath(const std::string& folder, const std::string& relative, std::string_view text, int mode) {
  File at{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!at) return failed("opening " + folder);
  const std::filesystem::path path{relative};
  for (const auto& part : path.parent_path()) {
    // mkdirat makes no link and follows none in its last part; the next open says whether it is a real folder.
    ::mkdirat(at.get(), part.c_str(), 0755);
    at = File{open_beneath(at.get(), part.string(), O_PATH | O_DIRECTORY, 0)};
    if (!at) return failed("writing " + relative + " in " + folder);
  }
  const auto name = path.filename().string();
  const auto fresh = "." + name + ".townd-new";
  ::unlinkat(at.get(), fresh.c_str(), 0);
  {
    const File file{open_beneath(at.get(), fresh, O_WRONLY | O_CREAT | O_EXCL, static_cast<unsigned>(mode))};
    if (!file || !put_all(file.get(), text)) return failed("writing " + relative + " in " + folder);
  }
  struct stat info {};
  if (::fstatat(at.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode)) {
    ::unlinkat(at.get(), fresh.c_str(), 0);
    return fail(Error::Code::invalid, relative + " in " + folder + " is there and is no regular file");
  }
  if (::renameat(at.get(), fresh.c_str(), at.get(), name.c_str()) != 0)
    return failed("writing " + relative + " in " + folder);
  return {};
}

}  // namespace townd
