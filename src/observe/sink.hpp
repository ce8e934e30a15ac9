#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "observe/log.hpp"
#include "observe/sent.hpp"
#include "observe/spool.hpp"
#include "ports/clock.hpp"

namespace townd {

/// What became of a sink's alerts since the start, and what still waits.
struct SinkNumbers {
  std::string sink;
  std::int64_t sent = 0;
  std::int64_t waiting = 0;
  std::int64_t dropped = 0;  ///< refused, given up, or the oldest of too many
  std::string trouble;       ///< why the last try failed; empty when it did not
};

/// One place that alerts go to, with those that wait for it. Everything is in the spool before it is tried, so neither
/// a restart nor a sink that is away loses it; who gets an alert twice knows it by its id. Failures are followed by
/// longer and longer waits, in which nothing is tried.
class Sink {
 public:
  /// Alerts that may wait for one sink: ten megabytes of the longest.
  static constexpr std::size_t kWaiting = 1000;
  static constexpr Duration kFirstWait = seconds(1);
  static constexpr Duration kLongestWait = minutes(5);

  using Try = std::function<Sent(const Alert& alert, Instant now, const std::atomic<bool>& stop)>;
  struct Options {
    std::string name;
    std::filesystem::path folder;
    Try attempt;
    int tries = 0;  ///< failures after which an alert is given up; 0: never
    std::size_t waiting = kWaiting;
  };

  Sink(Options options, Log& log);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void put(const Alert& alert);
  /// After what was put together.
  void sync() const;
  /// Tries what is due. Answers when to call again; kNever when nothing waits.
  Instant step(Instant now);
  [[nodiscard]] SinkNumbers numbers() const;

  /// Does the steps on a thread of its own.
  void start(const Clock& clock);
  /// Breaks off what is being tried and ends the thread; what waits stays in the spool.
  void stop();

 private:
  void run(const Clock& clock);
  void settle(const Spool::Waiting& tried, const Sent& sent, Instant now);
  void fail(const Spool::Waiting& tried, const Sent& sent, Instant now);
  void give_up(const Spool::Waiting& tried, const std::string& why);

  const Options options_;
  Log& log_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  Spool spool_;
  bool news_ = false;
  Instant not_before_{0};
  int failures_ = 0;     ///< in a row
  std::string failing_;  ///< the one that `tries_` counts for
  int tries_ = 0;
  std::int64_t sent_ = 0;
  std::int64_t given_up_ = 0;
  std::string trouble_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace townd
