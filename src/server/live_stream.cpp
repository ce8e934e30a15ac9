#include "server/live_stream.hpp"

#include <utility>

namespace townd {

bool LiveStream::push(std::string_view frame) {
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || closed_) return false;
    if (gathered_.size() + frame.size() > kBacklog)
      ended_ = true;
    else
      gathered_ += frame;
    ready = ready_;
  }
  if (ready) ready();
  return true;
}

void LiveStream::finish() {
  std::function<void()> ready;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    ready = ready_;
  }
  if (ready) ready();
}

void LiveStream::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  gathered_.clear();
  ready_ = nullptr;
}

bool LiveStream::over() const {
  const std::lock_guard lock(mutex_);
  return ended_ || closed_;
}

std::size_t LiveStream::waiting() const {
  const std::lock_guard lock(mutex_);
  return gathered_.size();
}

LiveStream::Taken LiveStream::take() {
  const std::lock_guard lock(mutex_);
  return {std::exchange(gathered_, {}), ended_};
}

void LiveStream::on_ready(std::function<void()> ready) {
  const std::lock_guard lock(mutex_);
  ready_ = std::move(ready);
}

}  // namespace townd
