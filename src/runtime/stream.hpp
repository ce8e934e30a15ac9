#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "runtime/preset.hpp"

namespace townd {

/// What an agent program says about itself in its output, read line by line. Everything in it is hostile: a line that
/// is no JSON of the expected form is skipped.
class StreamReader {
 public:
  explicit StreamReader(Preset::Stream form) : form_(form) {}

  /// More of the output, cut anywhere.
  void take(std::string_view bytes);

  [[nodiscard]] const std::string& last_event_type() const { return last_event_type_; }
  [[nodiscard]] std::vector<std::string> active_tools() const;
  [[nodiscard]] std::int64_t tokens() const { return ended_tokens_ + turn_tokens_; }
  [[nodiscard]] std::int64_t cost_micro_usd() const { return cost_micro_usd_; }
  /// What the program reported as the error that ended it; empty when it went well.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// The last line for people that stood between its events: some programs say nowhere else why they cannot begin.
  [[nodiscard]] const std::string& last_words() const { return last_words_; }
  [[nodiscard]] MaybeInstant limited_until() const { return limited_until_; }

 private:
  void line(std::string_view text);
  void claude(const class StreamObject& event);
  void codex(const class StreamObject& event);
  void gemini(const class StreamObject& event);
  void opencode(const class StreamObject& event);
  void tool_begins(const std::string& id, const std::string& name);

  Preset::Stream form_;
  std::string partial_;
  bool skipping_ = false;  ///< inside a line that is too long to be read
  std::string last_event_type_;
  std::map<std::string, std::string> tools_;  ///< running ones, by the program's own id
  std::map<std::string, std::int64_t> message_tokens_;
  std::int64_t ended_tokens_ = 0;
  std::int64_t turn_tokens_ = 0;
  std::int64_t cost_micro_usd_ = 0;
  std::string error_;
  std::string last_words_;
  MaybeInstant limited_until_;
};

}  // namespace townd
