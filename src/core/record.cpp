#include "core/record.hpp"

namespace townd {

std::vector<std::string> effect_keys(const TickResult& result) {
  std::vector<std::string> keys;
  for (const Effect& effect : result.outbox.effects) keys.push_back(effect.key);
  return keys;
}

void note_result(TickRecord& record, const TickResult& result) {
  record.events = result.events;
  record.decisions = result.decisions;
  record.violations = result.violations;
  record.effects = effect_keys(result);
  record.digest = result.digest;
}

}  // namespace townd
