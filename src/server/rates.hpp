#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "core/time.hpp"

namespace townd {

/// A bucket of permits for each caller: `per_second` come in each second, at most that many gather.
class Rates {
 public:
  explicit Rates(int per_second) : per_second_(per_second) {}
  /// Takes one permit; false when there is none.
  bool take(const std::string& caller, Instant now);

 private:
  struct Bucket {
    std::int64_t milli_permits = 0;
    Instant filled_at;
  };
  static constexpr std::size_t kCallers = 10'000;  ///< full buckets beyond this many are forgotten

  std::mutex mutex_;
  int per_second_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace townd
