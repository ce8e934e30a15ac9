#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "shim/files.hpp"

namespace townd::shim {

/// The agent's output in `log.<offset>`, where offset is the place of the file's first byte in the whole output. At
/// most two such files exist, so that they stay within the bound and a reader can find its place.
class Log {
 public:
  /// Goes on after what is already there.
  Log(std::string folder, std::int64_t bound_bytes);
  void append(std::string_view bytes);

 private:
  void open_at(std::int64_t offset);

  std::string folder_;
  std::int64_t half_;
  std::int64_t current_ = -1;  ///< offsets of the two files; -1: none
  std::int64_t previous_ = -1;
  std::int64_t end_ = 0;  ///< offset of the next byte
  Fd file_;
};

/// Counts lines that say something new. An error that repeats, whatever numbers it carries, is not activity: codex
/// says "Reconnecting… 2/5" for ever when its model is gone.
class LineCounter {
 public:
  void take(std::string_view bytes, std::int64_t now_ms);
  [[nodiscard]] std::int64_t lines() const { return lines_; }
  [[nodiscard]] std::int64_t last_line_at_ms() const { return last_line_at_ms_; }

 private:
  void line(std::int64_t now_ms);

  std::string current_;             ///< the line so far, cut
  std::deque<std::string> errors_;  ///< the last different errors, without their digits
  std::int64_t lines_ = 0;
  std::int64_t last_line_at_ms_ = 0;
};

}  // namespace townd::shim
