#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/live_stream.hpp"

namespace townd {

/// How many streams may be open at once, of whatever kind.
class StreamSeats {
 public:
  static constexpr std::size_t kStreams = 100;

  /// A new stream, or null when every seat is taken.
  std::shared_ptr<LiveStream> take(std::string ping = {});

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<LiveStream>> taken_;
};

}  // namespace townd
