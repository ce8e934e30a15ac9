#pragma once

#include <functional>
#include <memory>

namespace townd {

/// Threads for what blocks: reading the store, a run's log, git. Ends with what it has begun.
class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(std::function<void()> job);
  /// Runs what has been posted and ends the threads; what is posted later is dropped.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace townd
