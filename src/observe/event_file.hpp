#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/expected.hpp"
#include "core/time.hpp"

namespace townd {

struct EventFileSettings {
  std::string path;
  std::size_t bytes = 64UL << 20;    ///< of the file before it is put aside: `events.1.jsonl`
  std::size_t kept = 5;              ///< files beside the one that is written
  Duration first_wait = seconds(1);  ///< after a failure until it is tried again; then twice as long each time
  Duration longest_wait = minutes(1);
  Duration look_every = seconds(1);  ///< whether the file is still where it was
  Duration tell_every = minutes(1);  ///< how often `trouble` is told at most, after the first
};

/// Lines that wait for the disk at most; of more the oldest are lost, and counted.
inline constexpr std::size_t kEventLines = 8'192;

/// Lines of text in a file that rotates, written by a thread of its own. spdlog does both and stays in the source.
/// After a failure the file is opened anew, and so it is when somebody has moved or deleted it.
class EventFile {
 public:
  /// `trouble` is told why lines cannot be written and how many are lost, on the writing thread.
  static expected<std::unique_ptr<EventFile>> open(const EventFileSettings& settings,
                                                   std::function<void(const std::string&)> trouble);
  /// Writes what waits.
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Never blocks.
  void write(const std::string& line);
  [[nodiscard]] std::size_t lost() const;

 private:
  struct State;
  explicit EventFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace townd
