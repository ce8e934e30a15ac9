#pragma once

#include "ports/store.hpp"
#include "store/sqlite.hpp"

namespace townd::sqlite {

/// The fact in a row of `seq, created_at, event_type, agent_id, bead_id, payload, format`.
expected<Event> event_in(const Rows& rows);

expected<std::vector<EventRow>> read_events(Connection& db, const TownId& town, const EventQuery& query);
expected<std::vector<TickRow>> read_ticks(Connection& db, const TownId& town, const TickQuery& query);
/// Facts that no tick has taken, without those to be tried again; a failure of SQLite's stays with the connection.
expected<std::vector<Event>> pending_in(Connection& db, const TownId& town);
expected<std::vector<Event>> read_pending(Connection& db, const TownId& town);
/// The effect in a row of `key, kind, body, state, attempts, detail`.
expected<StoredEffect> effect_in(const Rows& rows);
expected<std::vector<StoredEffect>> read_effects(Connection& db, const TownId& town,
                                                 const std::vector<std::string>& keys);
expected<std::vector<HistoryRow>> read_history(Connection& db, const TownId& town, const BeadId& bead, int limit);
expected<std::vector<AgentEventRow>> read_agent_events(Connection& db, const TownId& town, const AgentId& agent,
                                                       std::int64_t after, int limit);
expected<std::optional<std::string>> read_text(Connection& db, const TownId& town, const Hash128& hash);
expected<std::vector<TokenRow>> read_tokens(Connection& db);

}  // namespace townd::sqlite
