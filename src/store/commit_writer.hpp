#pragma once

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

/// Writes all of one town's commit into the open transaction. Failures stay in the connection.
void write_commit(Connection& db, const TownCommit& commit);
void write_token(Connection& db, const TokenRow& token);
/// Answers the number that it got.
std::int64_t write_agent_event(Connection& db, const TownId& town, const AgentId& agent, const AgentEventRow& row);

/// Forgets at most `limit` rows of each kind that are past keeping. Answers how many went.
std::int64_t forget(Connection& db, Instant before, int limit);

}  // namespace townd::sqlite
