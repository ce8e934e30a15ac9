#pragma once

#include <vector>

#include "observe/sink.hpp"
#include "ports/forge.hpp"

namespace townd {

/// What is read when somebody asks for the metrics; the shares are 0 to 1.
struct NodeReadings {
  double disk_used = 0;
  double log_used = 0;
  std::vector<SinkNumbers> sinks;  ///< of alerts
  std::vector<HostCalls> hosts;    ///< of pull requests
};

}  // namespace townd
