#include "server/doctor/folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/machine.hpp"

namespace townd::doctor {
namespace {

/// What would tell others a secret or let them in, were it in a folder that they can enter; the first is that folder.
constexpr std::array<std::string_view, 10> kPrivate{
    "",           "/admin.token", "/townd.db", "/townd.db-wal", "/townd.sock",
    "/townd.log", "/door",        "/runs",     "/clones",       "/homes",
};

constexpr std::array<std::string_view, 6> kWritten{"/alerts", "/bundles", "/runs", "/clones", "/homes", "/rigs"};

/// Without following a link: where one stands in the place of a file, that file's mode is somebody else's.
expected<void> make_private(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0 && !S_ISLNK(about.st_mode) && ::chmod(path.c_str(), about.st_mode & 0700) == 0)
    return {};
  return fail(Error::Code::unavailable, "cannot change the mode of " + path + ": " + std::strerror(errno));
}

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

}  // namespace

void check_modes(const std::string& data, Report& report) {
  for (const std::string_view name : kPrivate) {
    const std::string path = data + std::string(name);
    struct stat about {};
    if (::lstat(path.c_str(), &about) != 0) continue;
    if ((about.st_mode & 077) == 0 || S_ISLNK(about.st_mode)) continue;
    report.findings.push_back({"file_mode",
                               Severity::error,
                               {},
                               path,
                               "others have rights on it (mode " + octal(about.st_mode) + ")",
                               "chmod go= '" + path + "'",
                               [path] { return make_private(path); }});
  }
}

void check_folders(const std::string& data, Report& report) {
  for (const std::string_view name : kWritten) {
    const std::string path = data + std::string(name);
    struct stat about {};
    int problem = ::stat(path.c_str(), &about) == 0 ? 0 : errno;
    if (problem == 0 && !S_ISDIR(about.st_mode)) problem = ENOTDIR;
    if (problem == 0 && ::access(path.c_str(), W_OK | X_OK) != 0) problem = errno;
    if (problem == 0 || problem == ENOENT) continue;  // made when it is needed
    report.findings.push_back({"unusable_folder",
                               Severity::error,
                               {},
                               path,
                               std::string("townd cannot write there: ") + std::strerror(problem),
                               "give it to the user that townd runs as, then: town down && town up"});
  }
}

void check_disk(const std::string& data, Report& report) {
  if (disk_is_low(data))
    report.findings.push_back({"low_disk",
                               Severity::error,
                               {},
                               data,
                               "less than 2 GiB are left there",
                               "make room: nothing is started until then"});
}

void check_pages(const std::function<expected<void>()>& look, Report& report) {
  const auto looked = look();
  if (looked) return;
  if (looked.error().code == Error::Code::internal)
    report.findings.push_back(
        {"damaged_page", Severity::error, {}, "townd.db", looked.error().what, looked.error().hint});
  else
    report.cannot_make("damaged_page", looked.error());
}

}  // namespace townd::doctor
