#pragma once

#include <sys/resource.h>

namespace townd::bench {

/// Seconds of CPU of the whole process (RUSAGE_SELF) or of this thread (RUSAGE_THREAD).
inline double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace townd::bench
