#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/ids.hpp"
#include "server/stream_seats.hpp"

namespace townd {

class Engine;
class Runtime;

/// Readers of growing logs: one thread looks at each followed run's log five times a second and hands on what is new,
/// until the run has ended and everything is read.
class LogTails {
 public:
  LogTails(StreamSeats& seats, Engine& engine, Runtime& runtime);
  ~LogTails();
  LogTails(const LogTails&) = delete;
  LogTails& operator=(const LogTails&) = delete;

  /// The log from byte `offset` on, or null when too many streams are open.
  std::shared_ptr<LiveStream> follow(const TownId& town, const RunId& run, std::int64_t offset);
  /// Ends all streams and the thread.
  void stop();

 private:
  struct Tail;
  void watch();
  bool advance(Tail& tail);

  StreamSeats& seats_;
  Engine& engine_;
  Runtime& runtime_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Tail>> tails_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace townd
