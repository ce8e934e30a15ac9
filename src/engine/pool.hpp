#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace townd {

/// Threads for work that may block. They are made when they are needed, up to a bound, and joined by `stop`. How many
/// jobs of one kind run at once is bounded by whoever hands them in (effect_queue.hpp).
class Pool {
 public:
  explicit Pool(int threads) : bound_(threads) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run(std::function<void()> job);
  /// Waits for what was handed in. Nothing may be handed in afterwards.
  void stop();

 private:
  void work();

  const int bound_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  int idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace townd
