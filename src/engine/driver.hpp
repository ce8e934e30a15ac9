#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/engine.hpp"
#include "engine/pool.hpp"

namespace townd {

/// The threads of an engine: one that steps it whenever something is due or was submitted, and a pool for effects.
class Driver {
 public:
  Driver(Engine& engine, Clock& clock);
  ~Driver();  ///< stops
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// After `Engine::open`.
  void start();
  /// Everything submitted is answered and committed, what runs in the pool ends, all threads are joined. Callable from
  /// any thread but the engine's own, and more than once.
  void stop();

 private:
  void drive();
  /// False when it is time to end.
  bool wait(Instant next);

  Engine& engine_;
  Clock& clock_;
  Pool pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace townd
