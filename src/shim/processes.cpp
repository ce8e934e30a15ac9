#include "shim/processes.hpp"

#include <dirent.h>

#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "shim/files.hpp"

namespace townd::shim {
namespace {

struct Stat {
  char state = '?';
  pid_t parent = 0;
  std::int64_t threads = 0;
  std::int64_t start = 0;
  /// A first thread that ended while others go on looks like a zombie and is none.
  [[nodiscard]] bool alive() const { return (state != 'Z' && state != 'X') || threads > 1; }
};

std::int64_t number(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

/// The command's name is in parentheses and may hold anything, so fields are counted from the last one.
std::optional<Stat> read_stat(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return std::nullopt;
  const auto end = text->rfind(')');
  if (end == std::string::npos || end + 2 >= text->size()) return std::nullopt;
  Stat stat;
  std::string_view rest{*text};
  rest.remove_prefix(end + 2);
  for (int field = 3; !rest.empty() && field <= 22; ++field) {
    const auto space = rest.find(' ');
    const auto word = rest.substr(0, space);
    if (field == 3) stat.state = word.front();
    if (field == 4) stat.parent = static_cast<pid_t>(number(word));
    if (field == 20) stat.threads = number(word);
    if (field == 22) stat.start = number(word);
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  return stat;
}

std::int64_t own_memory(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/statm");
  if (!text) return 0;
  std::string_view rest{*text};
  std::int64_t fields[3] = {};
  for (auto& field : fields) {
    const auto space = rest.find(' ');
    field = number(rest.substr(0, space));
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  return (fields[1] - fields[2]) * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

std::vector<Process> descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return {};
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = static_cast<pid_t>(number(entry->d_name));
    if (pid <= 0) continue;
    if (const auto stat = read_stat(pid); stat && stat->alive()) children.emplace(stat->parent, pid);
  }
  ::closedir(proc);

  std::vector<Process> found{{root, 0, 0}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i].pid);
    for (auto child = first; child != last; ++child) found.push_back({child->second, found[i].depth + 1, 0});
  }
  found.erase(found.begin());
  for (auto& process : found) process.memory_bytes = own_memory(process.pid);
  return found;
}

std::int64_t start_ticks(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat ? stat->start : 0;
}

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id").value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace townd::shim
