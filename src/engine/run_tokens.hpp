#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ports/store.hpp"

namespace townd {

/// The tokens of runs: made when a run starts, ended when it ends. The store has them hashed, so that the server knows
/// them. Called from the I/O pool.
class RunTokens {
 public:
  explicit RunTokens(Store& store) : store_(store) {}

  /// Those in the store that are not ended.
  expected<void> load();
  [[nodiscard]] std::vector<TokenRow> open_ones() const;
  /// A new token, already stored.
  expected<std::string> make(const TownId& town, const AgentId& agent, const RunId& run, Instant now);
  expected<void> end(const RunId& run, Instant now);

 private:
  Store& store_;
  mutable std::mutex mutex_;
  std::map<RunId, std::vector<TokenRow>> open_;
};

}  // namespace townd
