#include "cli/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace townd::cli {

namespace {

constexpr std::size_t kTextLimit = 1 << 20;  // what one request may hold

expected<std::string> everything(std::FILE* file, const std::string& name, std::size_t limit) {
  std::string text;
  std::array<char, 65536> piece{};
  while (const std::size_t got = std::fread(piece.data(), 1, piece.size(), file)) {
    text.append(piece.data(), got);
    if (text.size() > limit)
      return fail(Error::Code::too_large, name + " is longer than " + std::to_string(limit) + " bytes");
  }
  if (std::ferror(file) != 0) return fail(Error::Code::invalid, "cannot read " + name + ": " + std::strerror(errno));
  return text;
}

}  // namespace

expected<std::string> text_given(const std::string& given) {
  if (given != "-") return given;
  return everything(stdin, "standard input", kTextLimit);
}

expected<std::string> file_contents(const std::string& path, std::size_t limit) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return fail(Error::Code::not_found, "cannot read " + path + ": " + std::strerror(errno));
  auto text = everything(file, path, limit);
  std::fclose(file);
  return text;
}

expected<void> write_whole(const std::string& path, const std::string& contents) {
  // Only a file can be replaced; a device or a pipe is written to.
  std::error_code missing;
  const auto there = std::filesystem::status(path, missing);
  const bool replace = !std::filesystem::exists(there) || std::filesystem::is_regular_file(there);
  const std::string beside = replace ? path + ".part" : path;
  if (replace) std::remove(beside.c_str());  // else what another run left there would keep its mode
  const int flags = replace ? O_CREAT | O_EXCL | O_NOFOLLOW : O_TRUNC;
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
  std::string_view rest = contents;
  while (fd >= 0 && !rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  int error = errno;
  if (fd >= 0 && ::close(fd) == 0 && rest.empty()) {
    if (!replace || std::rename(beside.c_str(), path.c_str()) == 0) return {};
    error = errno;
  }
  if (replace) std::remove(beside.c_str());
  return fail(Error::Code::internal, "cannot write " + path + ": " + std::strerror(error));
}

}  // namespace townd::cli
