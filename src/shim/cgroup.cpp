#include "shim/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <set>
#include <sstream>

#include "shim/files.hpp"

namespace townd::shim {
namespace {

bool put(const std::string& path, const std::string& value) {
  const Fd fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  return fd && write_all(fd.get(), value.data(), value.size());
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// Where the keeper itself is: controllers of one line of /proc/self/cgroup, empty for v2, and the path in them.
std::optional<std::string> own_path(const std::string& controller) {
  std::istringstream lines{read_file("/proc/self/cgroup").value_or("")};
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) != controller) continue;
    const auto path = line.substr(second + 1);
    return path == "/" ? std::string{} : path;
  }
  return std::nullopt;
}

}  // namespace

void Cgroup::add(const std::string& parent, const std::string& name) {
  const std::string folder = parent + "/" + name;
  if (::mkdir(folder.c_str(), 0755) != 0 && !exists(folder + "/cgroup.procs")) return;
  folders_.push_back(folder);
  entries_.push_back(folder + "/cgroup.procs");
}

Cgroup Cgroup::make(const std::string& run_id, std::int64_t memory_bytes, std::int64_t processes) {
  Cgroup group;
  const std::string root = "/sys/fs/cgroup";
  // With the keeper's number, as two data folders may have runs of one name.
  const std::string name = "townd-" + run_id + "-" + std::to_string(::getpid());
  const std::string v2 = exists(root + "/cgroup.controllers") ? root : root + "/unified";
  if (const auto path = own_path(""); path && exists(v2 + "/cgroup.procs")) {
    // Refused where this folder holds processes of its own; cgroup.kill works all the same.
    put(v2 + *path + "/cgroup.subtree_control", "+memory +pids");
    group.add(v2 + *path, name);
  }
  for (const std::string controller : {"memory", "pids"})
    if (const auto path = own_path(controller); path && exists(root + "/" + controller + *path))
      group.add(root + "/" + controller + *path, name);
  for (const auto& folder : group.folders_) {
    for (const auto* file : {"/memory.max", "/memory.limit_in_bytes"})
      if (memory_bytes > 0 && exists(folder + file)) put(folder + file, std::to_string(memory_bytes));
    if (processes > 0 && exists(folder + "/pids.max")) put(folder + "/pids.max", std::to_string(processes));
  }
  return group;
}

void Cgroup::enter() const {
  for (const auto& file : entries_) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;
    // "0" is whoever writes it. A group that cannot be entered leaves its limit to sampling.
    [[maybe_unused]] const auto put_bytes = ::write(fd, "0", 1);
    ::close(fd);
  }
}

std::vector<pid_t> Cgroup::members() const {
  std::set<pid_t> found;
  for (const auto& folder : folders_) {
    std::istringstream lines{read_file(folder + "/cgroup.procs").value_or("")};
    for (pid_t pid = 0; lines >> pid;) found.insert(pid);
  }
  return {found.begin(), found.end()};
}

void Cgroup::kill() const {
  for (const auto& folder : folders_)
    if (exists(folder + "/cgroup.kill")) put(folder + "/cgroup.kill", "1");
}

bool Cgroup::out_of_memory() const {
  for (const auto& folder : folders_) {
    for (const auto* file : {"/memory.events", "/memory.oom_control"}) {
      std::istringstream words{read_file(folder + file).value_or("")};
      std::string name;
      for (std::int64_t count = 0; words >> name >> count;)
        if (name == "oom_kill" && count > 0) return true;
    }
  }
  return false;
}

void Cgroup::remove() const {
  for (const auto& folder : folders_) ::rmdir(folder.c_str());
}

}  // namespace townd::shim
