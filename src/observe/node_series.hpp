#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "observe/node_readings.hpp"

namespace townd {

/// The series of the daemon itself, read when somebody asks for the metrics.
class NodeSeries {
 public:
  explicit NodeSeries(prometheus::Registry& registry);
  /// Together with what the system says of the process.
  void read(const NodeReadings& readings);

 private:
  void read(const SinkNumbers& sink);
  void read(const HostCalls& calls);

  prometheus::Family<prometheus::Gauge>& deliveries_;
  prometheus::Family<prometheus::Counter>& forge_calls_;
  prometheus::Family<prometheus::Gauge>& forge_allowed_;
  prometheus::Family<prometheus::Gauge>& forge_left_;
  prometheus::Gauge& disk_used_;
  prometheus::Gauge& log_used_;
  prometheus::Gauge& resident_;
  prometheus::Gauge& open_fds_;
  prometheus::Gauge& max_fds_;
  prometheus::Gauge& started_at_;
  prometheus::Counter& cpu_;
};

}  // namespace townd
