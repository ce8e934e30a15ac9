#include "observe/node_series.hpp"

#include <algorithm>

#include "observe/process_numbers.hpp"

namespace townd {
namespace {

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return gauges(registry, name, help).Add({});
}

void raise(prometheus::Counter& counter, double to) {
  if (const double more = to - counter.Value(); more > 0) counter.Increment(more);
}

}  // namespace

NodeSeries::NodeSeries(prometheus::Registry& registry)
    : deliveries_(gauges(registry, "townd_alert_deliveries",
                         "Alerts to a sink: sent and dropped since the start, and waiting")),
      forge_calls_(counters(registry, "townd_forge_calls_total", "Calls to a host of pull requests")),
      forge_allowed_(
          gauges(registry, "townd_forge_calls_allowed", "Calls that a host of pull requests allows in its window")),
      forge_left_(gauges(registry, "townd_forge_calls_left", "What is left of townd_forge_calls_allowed")),
      disk_used_(gauge(registry, "townd_disk_used_ratio", "Of the data folder's file system")),
      log_used_(gauge(registry, "townd_log_used_ratio", "Of the log that one run may keep")),
      resident_(gauge(registry, "process_resident_memory_bytes", "Resident memory size in bytes")),
      open_fds_(gauge(registry, "process_open_fds", "Number of open file descriptors")),
      max_fds_(gauge(registry, "process_max_fds", "Maximum number of open file descriptors")),
      started_at_(gauge(registry, "process_start_time_seconds", "Start time of the process since 1970 in seconds")),
      cpu_(counters(registry, "process_cpu_seconds_total", "User and system CPU time spent in seconds").Add({})) {
  for (const char* sink : {"sentry", "webhook", "command"}) read(SinkNumbers{sink, 0, 0, 0, {}});
}

void NodeSeries::read(const NodeReadings& readings) {
  const ProcessNumbers process = read_process();
  disk_used_.Set(readings.disk_used);
  log_used_.Set(readings.log_used);
  for (const SinkNumbers& sink : readings.sinks) read(sink);
  for (const HostCalls& calls : readings.hosts) read(calls);
  resident_.Set(process.resident_bytes);
  open_fds_.Set(process.open_fds);
  max_fds_.Set(process.max_fds);
  started_at_.Set(process.started_at);
  raise(cpu_, process.cpu_seconds);
}

void NodeSeries::read(const SinkNumbers& sink) {
  for (const auto& [name, count] :
       {std::pair{"sent", sink.sent}, std::pair{"waiting", sink.waiting}, std::pair{"dropped", sink.dropped}})
    deliveries_.Add({{"sink", sink.sink}, {"state", name}}).Set(static_cast<double>(count));
}

void NodeSeries::read(const HostCalls& calls) {
  const prometheus::Labels labels{{"host", calls.host}, {"resource", calls.resource}};
  raise(forge_calls_.Add(labels), static_cast<double>(calls.made));
  if (calls.allowed == 0) return;  // it does not tell
  forge_allowed_.Add(labels).Set(static_cast<double>(calls.allowed));
  forge_left_.Add(labels).Set(static_cast<double>(calls.left));
}

}  // namespace townd
