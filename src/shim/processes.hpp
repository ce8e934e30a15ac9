#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace townd::shim {

struct Process {
  pid_t pid = 0;
  int depth = 0;                  ///< 1: a child of the root
  std::int64_t memory_bytes = 0;  ///< resident and not shared
};

/// Every descendant of `root` that is not a zombie. As `root` is their subreaper, none gets away by a double fork.
std::vector<Process> descendants(pid_t root);

/// Field 22 of /proc/<pid>/stat; 0 when there is no such process.
std::int64_t start_ticks(pid_t pid);
std::string boot_id();

}  // namespace townd::shim
