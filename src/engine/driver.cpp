#include "engine/driver.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace townd {
namespace {

/// Threads for effects. Each kind has its own few lanes in the engine, so this is reached only when many kinds are slow
/// at once; idle ones cost their stack's address space.
constexpr int kPoolThreads = 48;

/// The longest sleep. The system's monotonic clock stops while a laptop sleeps, so a long wait would be late by all of
/// that; after waking up it is over within this time.
constexpr Duration kLongestWait = seconds(10);

}  // namespace

Driver::Driver(Engine& engine, Clock& clock) : engine_(engine), clock_(clock), pool_(kPoolThreads) {
  engine_.run_effects_with([this](std::string_view, std::function<void()> job) { pool_.run(std::move(job)); });
  engine_.on_wake([this] {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  });
}

Driver::~Driver() {
  stop();
  engine_.on_wake({});
}

void Driver::start() {
  thread_ = std::thread([this] { drive(); });
}

void Driver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  pool_.stop();
}

void Driver::drive() {
  while (wait(engine_.step(clock_.now()))) {
  }
  engine_.close();
}

bool Driver::wait(Instant next) {
  std::unique_lock lock(mutex_);
  const Instant now = clock_.now();
  const Duration pause = next <= now ? Duration{0} : std::min(next - now, kLongestWait);
  changed_.wait_for(lock, std::chrono::milliseconds(pause.ms), [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

}  // namespace townd
