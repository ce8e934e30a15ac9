#pragma once

#include <optional>
#include <set>
#include <string>

#include "codec/json.hpp"

namespace townd::cli {

/// Compares what a scenario expects with what is there (`matching` at the top of a scenario file).
class Matcher {
 public:
  enum class Null { ignored, compared };  ///< in an action; in a state

  Matcher(Null null, std::map<std::string, std::string> new_beads) : null_(null), new_beads_(std::move(new_beads)) {}

  /// What is not as expected, as `path: expected X, got Y`; none when all is. Objects are compared by the keys that
  /// are expected, lists by the elements that are.
  [[nodiscard]] std::optional<std::string> mismatch(const json::value& expected, const json::value& actual,
                                                    const std::string& path) const;
  /// For each expected element another one of `actual` that matches it.
  [[nodiscard]] std::optional<std::string> mismatch_any(const json::array& expected, const json::array& actual,
                                                        const std::string& path) const;

 private:
  [[nodiscard]] bool same(const json::value& expected, const json::value& actual) const;
  [[nodiscard]] bool text_matches(std::string_view expected, const json::value& actual) const;

  Null null_;
  std::map<std::string, std::string> new_beads_;  ///< made during the run: id → type
};

/// A value as a person reads it: texts without quotes.
std::string shown(const json::value& value);

}  // namespace townd::cli
