#pragma once

namespace townd {

/// This process, as Prometheus' own clients show it; 0 for what /proc does not say.
struct ProcessNumbers {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double started_at = 0;  ///< seconds since 1970
};
ProcessNumbers read_process();

}  // namespace townd
