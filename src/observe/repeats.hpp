#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/time.hpp"

namespace townd {

/// Which troubles people were told of lately. A restart remembers: a daemon that crashes again and again tells once.
class Repeats {
 public:
  /// Troubles that are remembered; the oldest is forgotten for one more.
  static constexpr std::size_t kRemembered = 1000;

  Repeats(std::filesystem::path file, Duration repeat);

  /// Whether nobody was told of it for as long as `repeat`; from now on somebody is.
  bool fresh(const std::string& trouble, Instant now);
  /// Writes down what is new, for a restart. A disk that does not take it costs a repetition then.
  void save();

 private:
  void read();

  const std::filesystem::path file_;
  const Duration repeat_;
  std::map<std::string, Instant> told_;
  bool saved_ = true;
};

}  // namespace townd
