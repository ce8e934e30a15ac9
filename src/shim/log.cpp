#include "shim/log.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

namespace townd::shim {
namespace {

constexpr std::size_t kLineLimit = 4096;  // of a line only its beginning is compared
constexpr std::size_t kErrorsKept = 8;

std::string log_path(const std::string& folder, std::int64_t offset) {
  return folder + "/log." + std::to_string(offset);
}

std::vector<std::int64_t> existing(const std::string& folder) {
  std::vector<std::int64_t> offsets;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return offsets;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name{entry->d_name};
    if (!name.starts_with("log.")) continue;
    std::int64_t offset = -1;
    const auto parsed = std::from_chars(name.data() + 4, name.data() + name.size(), offset);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) offsets.push_back(offset);
  }
  ::closedir(dir);
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

bool looks_like_error(std::string_view lower) {
  static constexpr std::array<std::string_view, 8> kWords{"error",   "fail",    "retry",     "reconnect",
                                                          "refused", "timeout", "timed out", "unavailable"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](auto word) { return lower.find(word) != std::string_view::npos; });
}

}  // namespace

Log::Log(std::string folder, std::int64_t bound_bytes)
    : folder_(std::move(folder)), half_(std::max<std::int64_t>(bound_bytes / 2, 1)) {
  const auto offsets = existing(folder_);
  if (offsets.size() > 1) current_ = offsets[offsets.size() - 2];
  const std::int64_t last = offsets.empty() ? 0 : offsets.back();
  struct stat info {};
  const std::int64_t size = ::stat(log_path(folder_, last).c_str(), &info) == 0 ? info.st_size : 0;
  open_at(last);
  end_ = last + size;
}

void Log::open_at(std::int64_t offset) {
  previous_ = current_;
  current_ = offset;
  file_ = Fd{::open(log_path(folder_, offset).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
}

void Log::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (end_ - current_ >= half_) {
      if (previous_ >= 0) ::unlink(log_path(folder_, previous_).c_str());
      open_at(end_);
    }
    const auto part = bytes.substr(0, static_cast<std::size_t>(half_ - (end_ - current_)));
    // A full disk loses output, not the agent; offsets stay what was really written.
    if (!write_all(file_.get(), part.data(), part.size())) return;
    end_ += static_cast<std::int64_t>(part.size());
    bytes.remove_prefix(part.size());
  }
}

void LineCounter::take(std::string_view bytes, std::int64_t now_ms) {
  for (const char c : bytes) {
    if (c == '\n' || c == '\r') {
      line(now_ms);
    } else if (current_.size() < kLineLimit) {
      current_ += c;
    }
  }
}

void LineCounter::line(std::int64_t now_ms) {
  std::string shape;
  for (const char c : current_)
    if (!std::isdigit(static_cast<unsigned char>(c)))
      shape += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  current_.clear();
  if (shape.empty()) return;
  if (looks_like_error(shape)) {
    const auto seen = std::find(errors_.begin(), errors_.end(), shape);
    const bool repeated = seen != errors_.end();
    if (repeated) errors_.erase(seen);
    errors_.push_back(std::move(shape));
    if (errors_.size() > kErrorsKept) errors_.pop_front();
    if (repeated) return;
  }
  ++lines_;
  last_line_at_ms_ = now_ms;
}

}  // namespace townd::shim
