#include "engine/run_tokens.hpp"

#include "engine/token.hpp"

namespace townd {

expected<void> RunTokens::load() {
  const auto stored = store_.tokens();
  if (!stored) return tl::unexpected(stored.error());
  const std::lock_guard lock(mutex_);
  open_.clear();
  for (const TokenRow& row : *stored)
    if (!row.run_id.empty() && !row.ended_at && !row.revoked) open_[RunId(row.run_id)].push_back(row);
  return {};
}

std::vector<TokenRow> RunTokens::open_ones() const {
  const std::lock_guard lock(mutex_);
  std::vector<TokenRow> rows;
  for (const auto& [run, tokens] : open_) rows.insert(rows.end(), tokens.begin(), tokens.end());
  return rows;
}

expected<std::string> RunTokens::make(const TownId& town, const AgentId& agent, const RunId& run, Instant now) {
  const std::string token = make_token();
  TokenRow row;
  row.hash = hash_token(token);
  // A start that is repeated after a restart makes a second token: the first may be in the hands of a living agent.
  row.id = run.text + "." + row.hash.substr(0, 8);
  row.role = "agent";
  row.town_id = town.text;
  row.agent_id = agent.text;
  row.run_id = run.text;
  row.created_at = now;
  if (const auto stored = store_.put_token(row); !stored) return tl::unexpected(stored.error());
  const std::lock_guard lock(mutex_);
  open_[run].push_back(std::move(row));
  return token;
}

expected<void> RunTokens::end(const RunId& run, Instant now) {
  std::vector<TokenRow> rows;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(run);
    if (found == open_.end()) return {};
    rows = found->second;
  }
  for (TokenRow& row : rows) {
    row.ended_at = now;
    if (const auto stored = store_.put_token(row); !stored) return tl::unexpected(stored.error());
  }
  const std::lock_guard lock(mutex_);
  open_.erase(run);
  return {};
}

}  // namespace townd
