#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "observe/alert.hpp"

namespace townd {

/// Alerts that wait, in the order in which they came: a folder with one file for each, which a restart finds again.
/// Bounded: the oldest goes for one more, and is counted. What the disk does not take is kept in memory. Used by one
/// thread at a time.
class Spool {
 public:
  /// Takes up what an earlier process left in `folder`, which is made if it is not there.
  Spool(std::filesystem::path folder, std::size_t limit);

  struct Waiting {
    std::string name;
    Alert alert;
  };

  /// The error says why the alert is in memory only.
  expected<void> put(const Alert& alert);
  /// What was put outlives a power cut from here on, not only the process.
  void sync() const;
  /// The one whose turn it is; what cannot be read any more is dropped and counted.
  std::optional<Waiting> front();
  /// Everything that waits, oldest first.
  std::vector<Waiting> all();
  /// It was taken, or given up. Does nothing when it had to make room meanwhile.
  void remove(const std::string& name);
  /// The others come first.
  void postpone(const std::string& name);

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    std::string name;
    std::optional<Alert> alert;  ///< of one that the disk did not take
  };
  void drop_front();
  std::optional<Alert> read(const Entry& entry) const;

  const std::filesystem::path folder_;
  const std::size_t limit_;
  std::deque<Entry> waiting_;
  std::uint64_t next_ = 1;
  std::int64_t dropped_ = 0;
};

}  // namespace townd
