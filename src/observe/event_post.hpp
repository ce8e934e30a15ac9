#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "observe/post.hpp"

namespace townd {

/// Lines that wait for the collector at most; of more the oldest are lost, and counted.
inline constexpr std::size_t kEventsWaiting = 20'000;
/// Lines of one request.
inline constexpr std::size_t kEventsOfAPost = 500;

/// Lines of JSON to an HTTP collector, in batches, by a thread of its own. What is not taken is sent again after longer
/// and longer waits, in the same order; what is refused for good is dropped and counted.
class EventPost {
 public:
  struct Options {
    WebAddress to;
    std::string header;           ///< `Name: value`; empty: none
    Duration batch = seconds(1);  ///< how long a line waits for others
    Duration first_wait = seconds(1);
    Duration longest_wait = minutes(1);
  };
  /// `trouble` is told why a batch was not taken, on the sending thread.
  EventPost(Options options, std::function<void(const std::string&)> trouble);
  /// Sends what waits, for two seconds at most.
  ~EventPost();
  EventPost(const EventPost&) = delete;
  EventPost& operator=(const EventPost&) = delete;

  /// Never blocks.
  void write(std::string line);

  struct Numbers {
    std::size_t sent = 0;
    std::size_t waiting = 0;
    std::size_t lost = 0;
  };
  [[nodiscard]] Numbers numbers() const;

 private:
  void run();
  void send_all();
  /// Whether the batch is done with.
  bool deliver(std::size_t lines, const std::string& body, Duration& wait);

  const Options options_;
  const std::function<void(const std::string&)> trouble_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::string> waiting_;  // guarded by mutex_
  Numbers numbers_;                  // guarded by mutex_
  bool closing_ = false;             // guarded by mutex_
  bool done_ = false;                // guarded by mutex_
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace townd
