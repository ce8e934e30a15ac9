#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "observe/log.hpp"
#include "observe/quiet_hours.hpp"
#include "observe/repeats.hpp"
#include "observe/sentry.hpp"
#include "observe/sink.hpp"
#include "observe/webhook.hpp"
#include "ports/clock.hpp"
#include "ports/observer.hpp"

namespace townd {

/// Where alarms go, all of them checked.
struct SinkSettings {
  std::optional<Dsn> sentry;
  std::optional<Webhook> webhook;
  std::vector<std::string> command;
  std::optional<QuietHours> quiet;
  Duration repeat = hours(1);
  std::string version;
  std::string node;  ///< this machine's name

  [[nodiscard]] bool any() const { return sentry || webhook || !command.empty(); }
};

struct AlertNumbers {
  std::int64_t repeated = 0;  ///< not told again, as people were told of the same lately
  std::int64_t held = 0;      ///< until the quiet hours end
  std::int64_t dropped = 0;   ///< came faster than they could be written down
  std::vector<SinkNumbers> sinks;
};

/// Brings alarms to Sentry, a webhook and a command: each trouble once in `repeat`, in the quiet hours only errors, the
/// rest after them as one digest of a kind. Lives in `alerts/` of the data folder.
class AlertSinks final : public Observer {
 public:
  /// Alarms that wait to be written down; more come only when the disk hangs.
  static constexpr std::size_t kQueue = 1000;

  AlertSinks(SinkSettings settings, const std::string& data, const Clock& clock, Log& log);
  ~AlertSinks() override;
  AlertSinks(const AlertSinks&) = delete;
  AlertSinks& operator=(const AlertSinks&) = delete;

  /// Never waits for a disk or a network, on any thread. When too many wait, the oldest is dropped and counted.
  void alarm(const Alarm& alarm) override;
  void differs(const TownId& town, const Difference& difference) override;
  /// Begins to bring them; what is told before waits.
  void start();
  /// Writes down what was told and ends the threads. What was not brought is tried at the next start.
  void stop();
  [[nodiscard]] AlertNumbers numbers() const;

  /// Sorts what was told, and what was held when its time has come. Answers when to call again.
  Instant step(Instant now);
  /// For a driver without threads.
  [[nodiscard]] const std::vector<std::unique_ptr<Sink>>& sinks() const { return sinks_; }

 private:
  void run();
  /// True when somebody is to be told now.
  bool take_in(const Alert& alert, Instant now);
  void hand_out(const std::vector<Alert>& alerts);
  void end_quiet(Instant now);

  const SinkSettings settings_;
  const std::string bundles_;
  const Clock& clock_;
  Log& log_;
  Repeats repeats_;
  Spool held_;
  std::vector<std::unique_ptr<Sink>> sinks_;

  mutable std::mutex mutex_;  ///< over what follows; never held while a disk is waited for
  std::condition_variable woken_;
  std::deque<std::pair<Alarm, Instant>> told_;
  AlertNumbers numbers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace townd
