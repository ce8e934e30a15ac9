#pragma once

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

/// The fact in a row of `seq, created_at, event_type, agent_id, bead_id, payload, format`.
expected<Event> event_in(const Rows& rows);

expected<std::vector<EventRow>> read_events(Connection& db, const TownId& town, const EventQuery& query);
expected<std::vector<TickRow>> read_ticks(Connection& db, const TownId& town, std::int64_t after, int limit);
expected<std::vector<HistoryRow>> read_history(Connection& db, const TownId& town, const BeadId& bead, int limit);
expected<std::vector<AgentEventRow>> read_agent_events(Connection& db, const TownId& town, const AgentId& agent,
                                                       std::int64_t after, int limit);
expected<std::optional<std::string>> read_text(Connection& db, const TownId& town, const Hash128& hash);
expected<std::vector<TokenRow>> read_tokens(Connection& db);

}  // namespace townd::sqlite
