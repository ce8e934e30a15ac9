#include "server/stream_seats.hpp"

#include <utility>

namespace townd {

std::shared_ptr<LiveStream> StreamSeats::take(std::string ping) {
  const std::lock_guard lock(mutex_);
  std::erase_if(taken_, [](const std::weak_ptr<LiveStream>& weak) {
    const auto stream = weak.lock();
    return !stream || stream->over();
  });
  if (taken_.size() >= kStreams) return nullptr;
  auto stream = std::make_shared<LiveStream>(std::move(ping));
  taken_.push_back(stream);
  return stream;
}

}  // namespace townd
