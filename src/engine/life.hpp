#pragma once

#include <map>
#include <utility>
#include <vector>

#include "core/event.hpp"

namespace townd {

/// Signs of life since the last tick, one for each agent and run: a later one without a watermark or tools keeps the
/// earlier one's.
class Life {
 public:
  void hear(const SignOfLife& sign);
  void hear(const std::vector<SignOfLife>& signs);
  [[nodiscard]] std::vector<SignOfLife> all() const;  ///< in agent order
  [[nodiscard]] bool empty() const { return signs_.empty(); }
  void clear() { signs_.clear(); }

 private:
  std::map<std::pair<AgentId, RunId>, SignOfLife> signs_;
};

}  // namespace townd
