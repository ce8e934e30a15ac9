#include "engine/inbox.hpp"

#include <utility>

namespace townd {

void Inbox::post(inbox::Item item) {
  {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  posted_.notify_all();
  wake();
}

std::vector<inbox::Item> Inbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(items_, {});
}

void Inbox::on_wake(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void Inbox::wake() {
  const std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

void Inbox::wait() {
  std::unique_lock lock(mutex_);
  posted_.wait(lock, [this] { return !items_.empty(); });
}

}  // namespace townd
