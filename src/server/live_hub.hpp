#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "server/stream_seats.hpp"

namespace townd {

/// A place in a town's stream: the item's tick, and its number among those of that tick, from 1.
struct StreamPlace {
  std::int64_t tick = 0;
  std::int64_t item = 0;
  friend auto operator<=>(const StreamPlace&, const StreamPlace&) = default;
};
/// `17.3`; none for anything else.
std::optional<StreamPlace> stream_place(std::string_view text);

/// Hands what the engine says out to the readers of each town's stream as server-sent events, and remembers the last
/// kRemembered of each, so that a reader that was cut off goes on where it was.
class LiveHub {
 public:
  static constexpr std::size_t kRemembered = 1000;

  explicit LiveHub(StreamSeats& seats) : seats_(seats) {}

  /// Listens to the engine; once.
  void listen(Engine& engine);
  void add(const TownId& town, const StreamItem& item);
  /// A stream of what comes from now on, or of what came behind `after`. When some of that is forgotten, the stream
  /// begins with an event `gap`: read the town again. Null: too many streams.
  std::shared_ptr<LiveStream> open(const TownId& town, std::optional<StreamPlace> after);
  /// Ends all streams.
  void finish();

 private:
  struct Remembered {
    StreamPlace place;
    StreamItem item;
  };
  struct Channel {
    std::deque<Remembered> last;
    StreamPlace newest;
    std::vector<std::shared_ptr<LiveStream>> readers;
  };

  StreamSeats& seats_;
  std::mutex mutex_;
  std::map<TownId, Channel> channels_;
};

}  // namespace townd
