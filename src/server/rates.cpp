#include "server/rates.hpp"

#include <algorithm>

namespace townd {

bool Rates::take(const std::string& caller, Instant now) {
  const std::lock_guard lock(mutex_);
  const std::int64_t full = per_second_ * 1000LL;
  if (buckets_.size() > kCallers)
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.filled_at >= seconds(1); });
  Bucket& bucket = buckets_.try_emplace(caller, Bucket{full, now}).first->second;
  if (now > bucket.filled_at) {
    bucket.milli_permits = std::min(full, bucket.milli_permits + (now - bucket.filled_at).ms * per_second_);
    bucket.filled_at = now;
  }
  if (bucket.milli_permits < 1000) return false;
  bucket.milli_permits -= 1000;
  return true;
}

}  // namespace townd
