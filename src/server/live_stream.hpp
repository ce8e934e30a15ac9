#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace townd {

/// One reader of a live stream: producers push from any thread, the connection takes what has gathered. A reader that
/// falls behind by more than kBacklog is closed; it comes back with Last-Event-ID.
class LiveStream {
 public:
  static constexpr std::size_t kBacklog = 1 << 20;  ///< bytes; a reader this slow is not reading

  /// `ping` is written when nothing else is for a while; empty: nothing is.
  explicit LiveStream(std::string ping = {}) : ping_(std::move(ping)) {}

  /// False when the stream is closed, which is how a producer learns that its reader has gone.
  bool push(std::string_view frame);
  /// Nothing more will come; the reader still gets what has gathered.
  void finish();
  /// The reader has gone.
  void close();
  /// Finished, closed or given up.
  [[nodiscard]] bool over() const;
  /// Bytes that the reader has not taken yet.
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] const std::string& ping() const { return ping_; }

  struct Taken {
    std::string bytes;
    bool ended = false;
  };
  Taken take();
  /// `ready` runs, from a producer's thread, when there is something to take.
  void on_ready(std::function<void()> ready);

 private:
  const std::string ping_;
  mutable std::mutex mutex_;
  std::string gathered_;
  bool ended_ = false;
  bool closed_ = false;
  std::function<void()> ready_;
};

}  // namespace townd
