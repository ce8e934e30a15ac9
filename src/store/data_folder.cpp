#include "store/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace townd {

namespace {

constexpr const char* kLockName = "townd.lock";

std::string reason(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> not_usable(const std::filesystem::path& folder, int error) {
  if (error == ENOSPC || error == EDQUOT)
    return fail(Error::Code::unavailable, "The disk that holds the data folder " + folder.string() + " is full",
                "Free some space there and start townd again.");
  return fail(Error::Code::unavailable,
              "The data folder " + folder.string() + " cannot be written to: " + reason(error),
              "Give townd's user write access to it, or choose another folder with --data.");
}

/// Who holds the lock, as far as the lock file says.
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0;
       i < length && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9'; ++i)
    pid += text[static_cast<std::size_t>(i)];
  return pid.empty() ? "another process" : "process " + pid;
}

/// For people only, so a disk too full for it does not matter.
void write_pid(int descriptor) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
}

}  // namespace

expected<DataFolder> DataFolder::lock(const std::filesystem::path& folder) {
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed)) {
    std::filesystem::create_directories(folder, failed);
    if (failed) return not_usable(folder, failed.value());
    if (::chmod(folder.c_str(), 0700) != 0) return not_usable(folder, errno);
  }
  const std::filesystem::path file = folder / kLockName;
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return not_usable(folder, errno);
  DataFolder locked(folder, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    write_pid(descriptor);
    return locked;
  }
  if (errno != EWOULDBLOCK)
    return fail(Error::Code::unavailable, "The data folder " + folder.string() + " cannot be locked: " + reason(errno),
                "Put it on a local disk whose file system knows flock, with --data.");
  return fail(Error::Code::conflict, "The data folder " + folder.string() + " is in use by " + holder(descriptor),
              "Stop that townd (town down), or choose another folder with --data.");
}

DataFolder::~DataFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

DataFolder::DataFolder(DataFolder&& other) noexcept : path_(std::move(other.path_)), descriptor_(other.descriptor_) {
  other.descriptor_ = -1;
}

expected<std::filesystem::path> DataFolder::file(const std::string& name) const {
  std::filesystem::path path = path_ / name;
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0)
    return fail(Error::Code::unavailable, "The file " + path.string() + " cannot be written to: " + reason(errno),
                "Give townd's user write access to it, or choose another folder with --data.");
  ::close(descriptor);
  return path;
}

}  // namespace townd
