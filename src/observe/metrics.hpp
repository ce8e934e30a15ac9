#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/node_readings.hpp"
#include "ports/clock.hpp"
#include "ports/observer.hpp"

namespace townd {

struct MetricsOptions {
  int towns = 50;  ///< that have a label of their own; all others share `_other`
  std::string version;
  std::vector<std::string> operations;  ///< of HTTP
};

/// Rigs of a town that have a label of their own; the others share `_other`.
inline constexpr std::size_t kRigLabels = 20;

/// Counts what happens, as docs/metrics.md has it. A tick only leaves a note, which is counted when somebody asks or
/// when many have come; how things stand is read from the towns themselves, when somebody asks. Thread-safe.
/// prometheus-cpp stays in this folder's sources.
class Metrics final : public Observer {
 public:
  Metrics(MetricsOptions options, const Clock& clock);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void ticked(const Ticked& tick) override;
  void ticked_quietly(const QuietTick& tick) override;
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) override;
  void differs(const TownId& town, const Difference& difference) override;
  void alarm(const Alarm& alarm) override;
  void in_memory(const Town& town, bool runs) override;
  void left_memory(const Town& town) override;

  /// Ticks that may wait to be counted.
  static constexpr std::size_t kNotes = 1'024;

  /// One group commit of so many towns' ticks.
  void committed(std::size_t towns, double seconds);
  /// `operation` is empty for a request that asked for none.
  void answered(std::string_view operation, int status, double seconds);

  /// Towns in memory of which something may be otherwise than when they were last read.
  std::vector<TownId> unread();
  /// Reads how a town stands.
  void read(const Town& town, int pending_events, int effects_in_doubt);
  /// Runs that have not ended.
  std::vector<RunId> live_runs();
  /// Prometheus' text format, of what was read last.
  std::string text(const NodeReadings& readings);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace townd
