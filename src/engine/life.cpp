#include "engine/life.hpp"

#include <algorithm>

namespace townd {

void Life::hear(const SignOfLife& sign) {
  const auto [place, fresh] = signs_.try_emplace({sign.agent_id, sign.run_id}, sign);
  if (fresh) return;
  SignOfLife& known = place->second;
  known.at = std::max(known.at, sign.at);
  if (sign.last_event_at && (!known.last_event_at || *sign.last_event_at >= *known.last_event_at)) {
    known.last_event_at = sign.last_event_at;
    known.last_event_type = sign.last_event_type;
  }
  if (sign.active_tools) known.active_tools = sign.active_tools;
  // Totals of the run so far, so the larger one is the later one.
  known.tokens = std::max(known.tokens, sign.tokens);
  known.cost_micro_usd = std::max(known.cost_micro_usd, sign.cost_micro_usd);
}

void Life::hear(const std::vector<SignOfLife>& signs) {
  for (const SignOfLife& sign : signs) hear(sign);
}

std::vector<SignOfLife> Life::all() const {
  std::vector<SignOfLife> signs;
  signs.reserve(signs_.size());
  for (const auto& [key, sign] : signs_) signs.push_back(sign);
  return signs;
}

}  // namespace townd
