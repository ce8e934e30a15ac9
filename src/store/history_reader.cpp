#include "store/history_reader.hpp"

#include <algorithm>
#include <utility>

#include "codec/actions.hpp"
#include "codec/events.hpp"

namespace townd::sqlite {

namespace {

template <class Value>
expected<Value> answer(Connection& db, Value value) {
  if (auto failure = db.take_failure()) return tl::unexpected<Error>(std::move(*failure));
  return value;
}

EventRow event_row(const Rows& rows) {
  EventRow row;
  row.seq = rows.integer(0);
  row.event_type = rows.text(1);
  row.agent_id = rows.text(2);
  row.bead_id = rows.text(3);
  row.payload = rows.text(4);
  row.created_at = rows.instant(5);
  row.processed_at = rows.maybe_instant(6);
  row.note = rows.text(7);
  row.fate = rows.text(8);
  return row;
}

std::vector<EventRow> all_of(Rows rows) {
  std::vector<EventRow> events;
  while (rows.next()) events.push_back(event_row(rows));
  return events;
}

}  // namespace

expected<Event> event_in(const Rows& rows) {
  auto body = decode_event({std::string(rows.text(2)), std::string(rows.text(3)), std::string(rows.text(4)),
                            std::string(rows.text(5)), static_cast<int>(rows.integer(6))});
  if (!body) return tl::unexpected(body.error());
  return Event{rows.integer(0), rows.instant(1), std::move(*body)};
}

expected<std::vector<EventRow>> read_events(Connection& db, const TownId& town, const EventQuery& query) {
  const auto select = [&](Sql sql) {
    return all_of(db.query(sql, town.text, query.after_seq, query.from, query.to, query.type, query.bead_id,
                           query.agent_id, query.limit));
  };
  // Three texts, so that the index over beads or agents is used where there is a bead or an agent to look for.
  if (!query.bead_id.empty())
    return answer(
        db, select("SELECT seq, event_type, agent_id, about_bead_id, payload, created_at, processed_at, note, fate"
                   " FROM town_events WHERE town_id = ?1 AND about_bead_id = ?6 AND about_bead_id <> '' AND seq > ?2"
                   " AND created_at BETWEEN ?3 AND ?4 AND (?5 = '' OR event_type = ?5)"
                   " AND (?7 = '' OR agent_id = ?7) ORDER BY seq LIMIT ?8"));
  if (!query.agent_id.empty())
    return answer(
        db, select("SELECT seq, event_type, agent_id, about_bead_id, payload, created_at, processed_at, note, fate"
                   " FROM town_events WHERE town_id = ?1 AND agent_id = ?7 AND agent_id <> '' AND seq > ?2"
                   " AND created_at BETWEEN ?3 AND ?4 AND (?5 = '' OR event_type = ?5)"
                   " AND (?6 = '' OR about_bead_id = ?6) ORDER BY seq LIMIT ?8"));
  return answer(db,
                select("SELECT seq, event_type, agent_id, about_bead_id, payload, created_at, processed_at, note, fate"
                       " FROM town_events WHERE town_id = ?1 AND seq > ?2 AND created_at BETWEEN ?3 AND ?4"
                       " AND (?5 = '' OR event_type = ?5) AND ?6 = '' AND ?7 = '' ORDER BY seq LIMIT ?8"));
}

expected<std::vector<TickRow>> read_ticks(Connection& db, const TownId& town, const TickQuery& query) {
  // A member that is empty is left out of a record, and no text in it holds a quotation mark that is not escaped.
  const auto member = [](std::string_view name, const std::string& text) {
    return text.empty() ? std::string{} : std::string(name) + "\"" + text + "\"";
  };
  Rows rows = db.query(
      "SELECT number, at, record FROM ticks WHERE town_id = ?1 AND number > ?2 AND at BETWEEN ?3 AND ?4"
      " AND (?5 = '' OR instr(record, ?5) > 0)"
      " AND (?6 = '' OR instr(record, ?6) > 0 OR at IN"
      "  (SELECT processed_at FROM town_events WHERE town_id = ?1 AND about_bead_id = ?7 AND about_bead_id <> ''"
      "   UNION SELECT at FROM bead_events WHERE town_id = ?1 AND bead_id = ?7))"
      " AND (?8 = '' OR instr(record, ?8) > 0 OR at IN"
      "  (SELECT processed_at FROM town_events WHERE town_id = ?1 AND agent_id = ?12 AND agent_id <> ''))"
      " AND (?9 = 0 OR instr(record, '\"violations\":') > 0)"
      " ORDER BY number * ?10 LIMIT ?11",
      town.text, query.after, query.from, query.to, member("\"rule\":", query.rule), member("", query.bead_id),
      query.bead_id, member("", query.agent_id), query.violations ? 1 : 0, query.newest ? -1 : 1, query.limit,
      query.agent_id);
  std::vector<TickRow> ticks;
  while (rows.next()) ticks.push_back({rows.integer(0), rows.instant(1), std::string(rows.text(2))});
  if (query.newest) std::reverse(ticks.begin(), ticks.end());
  return answer(db, std::move(ticks));
}

expected<std::vector<Event>> pending_in(Connection& db, const TownId& town) {
  std::vector<Event> pending;
  Rows rows = db.query(
      "SELECT seq, created_at, event_type, agent_id, bead_id, payload, format FROM town_events"
      " WHERE town_id = ?1 AND fate = '' ORDER BY seq",
      town.text);
  while (rows.next()) {
    auto event = event_in(rows);
    if (!event) return tl::unexpected(event.error());
    pending.push_back(std::move(*event));
  }
  return pending;
}

expected<std::vector<Event>> read_pending(Connection& db, const TownId& town) {
  auto pending = pending_in(db, town);
  if (!pending) return pending;
  return answer(db, std::move(*pending));
}

expected<StoredEffect> effect_in(const Rows& rows) {
  auto body = decode_effect({std::string(rows.text(1)), std::string(rows.text(2))});
  if (!body) return tl::unexpected(body.error());
  return StoredEffect{Effect{std::string(rows.text(0)), std::move(*body)}, effect_state(rows.text(3)),
                      static_cast<int>(rows.integer(4)), std::string(rows.text(5))};
}

expected<std::vector<StoredEffect>> read_effects(Connection& db, const TownId& town,
                                                 const std::vector<std::string>& keys) {
  std::vector<StoredEffect> effects;
  for (const std::string& key : keys) {
    Rows rows = db.query("SELECT key, kind, body, state, attempts, detail FROM effects WHERE town_id = ?1 AND key = ?2",
                         town.text, key);
    if (!rows.next()) continue;
    auto effect = effect_in(rows);
    if (!effect) return tl::unexpected(effect.error());
    effects.push_back(std::move(*effect));
  }
  return answer(db, std::move(effects));
}

expected<std::vector<HistoryRow>> read_history(Connection& db, const TownId& town, const BeadId& bead, int limit) {
  std::vector<HistoryRow> history;
  // The newest ones, told in the order in which they happened.
  Rows rows = db.query(
      "SELECT bead_id, agent_id, event_type, old_value, new_value, rule, at FROM (SELECT * FROM bead_events"
      " WHERE town_id = ?1 AND bead_id = ?2 ORDER BY id DESC LIMIT ?3) ORDER BY id",
      town.text, bead.text, limit);
  while (rows.next())
    history.push_back({BeadId(rows.text(0)), AgentId(rows.text(1)), std::string(rows.text(2)),
                       std::string(rows.text(3)), std::string(rows.text(4)), std::string(rows.text(5)),
                       rows.instant(6)});
  return answer(db, std::move(history));
}

expected<std::vector<AgentEventRow>> read_agent_events(Connection& db, const TownId& town, const AgentId& agent,
                                                       std::int64_t after, int limit) {
  std::vector<AgentEventRow> events;
  Rows rows = db.query(
      "SELECT id, event_type, data, created_at FROM agent_events WHERE town_id = ?1 AND agent_id = ?2 AND id > ?3"
      " ORDER BY id LIMIT ?4",
      town.text, agent.text, after, limit);
  while (rows.next())
    events.push_back({rows.integer(0), std::string(rows.text(1)), std::string(rows.text(2)), rows.instant(3)});
  return answer(db, std::move(events));
}

expected<std::optional<std::string>> read_text(Connection& db, const TownId& town, const Hash128& hash) {
  std::optional<std::string> text;
  if (Rows rows = db.query("SELECT text FROM texts WHERE town_id = ?1 AND hash = ?2", town.text, hash.hex());
      rows.next())
    text = rows.text(0);
  return answer(db, std::move(text));
}

expected<std::vector<TokenRow>> read_tokens(Connection& db) {
  std::vector<TokenRow> tokens;
  Rows rows = db.query(
      "SELECT id, hash, role, town_id, agent_id, run_id, created_at, ended_at, revoked FROM tokens"
      " ORDER BY created_at, id");
  while (rows.next())
    tokens.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2)),
                      std::string(rows.text(3)), std::string(rows.text(4)), std::string(rows.text(5)), rows.instant(6),
                      rows.maybe_instant(7), rows.integer(8) != 0});
  return answer(db, std::move(tokens));
}

}  // namespace townd::sqlite
