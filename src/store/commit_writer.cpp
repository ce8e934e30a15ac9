#include "store/commit_writer.hpp"

#include <string_view>
#include <unordered_map>
#include <variant>

#include "codec/actions.hpp"
#include "codec/events.hpp"
#include "codec/ticks.hpp"
#include "store/row_tables.hpp"

namespace townd::sqlite {

namespace {

/// What became of an event, for its columns.
struct Fate {
  explicit Fate(const EventOutcome& outcome, MaybeInstant at)
      : text(fate_text(outcome.fate)),
        settled_at(outcome.fate == EventFate::deferred ? std::nullopt : at),
        retries(outcome.fate == EventFate::deferred ? 1 : 0),
        made(outcome.created.empty() ? std::string_view{} : std::string_view(outcome.created.front())) {}

  std::string_view text;
  MaybeInstant settled_at;
  int retries;
  std::string_view made;
};

/// An event of this commit, with what the same commit made of it.
void write_event(Connection& db, const std::string& town, const Event& event, const EventOutcome& outcome,
                 MaybeInstant at) {
  const EventText text = encode_event(event.body);
  const Fate fate(outcome, at);
  const std::string_view about = about_bead(event.body);
  db.run(
      "INSERT INTO town_events (town_id, seq, format, event_type, agent_id, bead_id, about_bead_id, payload,"
      " created_at, processed_at, retries, fate, note)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
      town, event.seq, text.format, text.event_type, text.agent_id, text.bead_id, about.empty() ? fate.made : about,
      text.payload, event.created_at, fate.settled_at, fate.retries, fate.text, outcome.note);
}

void write_event(Connection& db, const std::string& town, const Event& event) {
  const EventText text = encode_event(event.body);
  db.run(
      "INSERT INTO town_events (town_id, seq, format, event_type, agent_id, bead_id, about_bead_id, payload,"
      " created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      town, event.seq, text.format, text.event_type, text.agent_id, text.bead_id, about_bead(event.body), text.payload,
      event.created_at);
}

/// What became of an event of an earlier commit.
void write_outcome(Connection& db, const std::string& town, const EventOutcome& outcome, MaybeInstant at) {
  const Fate fate(outcome, at);
  db.run(
      "UPDATE town_events SET fate = ?3, note = ?4, processed_at = ?5, retries = retries + ?6,"
      " about_bead_id = CASE WHEN about_bead_id = '' THEN ?7 ELSE about_bead_id END"
      " WHERE town_id = ?1 AND seq = ?2",
      town, outcome.seq, fate.text, outcome.note, fate.settled_at, fate.retries, fate.made);
}

void write_tick(Connection& db, const std::string& town, const TickRecord& tick) {
  db.run(
      "INSERT INTO ticks (town_id, number, at, trigger, config_version, decisions, wall_us, digest, record)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      town, tick.number, tick.at, tick.trigger, tick.config_version, static_cast<std::int64_t>(tick.decisions.size()),
      tick.wall_us, tick.digest.hex(), encode_tick(tick));
}

void write_history(Connection& db, const std::string& town, const HistoryRow& row) {
  db.run(
      "INSERT INTO bead_events (town_id, bead_id, agent_id, event_type, old_value, new_value, rule, at)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      town, row.bead_id.text, row.agent_id.text, row.event_type, row.old_value, row.new_value, row.rule, row.at);
}

/// A key that is there already keeps its place, its body and its time of creation.
void write_effect(Connection& db, const std::string& town, const StoredEffect& stored, MaybeInstant at) {
  const EffectText text = encode_effect(stored.effect.body);
  db.run(
      "INSERT INTO effects (town_id, key, kind, body, state, attempts, detail, created_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
      " ON CONFLICT DO UPDATE SET state = ?5, attempts = ?6, detail = ?7",
      town, stored.effect.key, text.kind, text.body, effect_state_text(stored.state), stored.attempts, stored.detail,
      at);
}

}  // namespace

void write_commit(Connection& db, const TownCommit& commit) {
  const std::string& town = commit.town_id.text;
  const MaybeInstant at = commit.tick ? MaybeInstant(commit.tick->at) : std::nullopt;
  std::unordered_map<std::int64_t, const EventOutcome*> outcomes;
  for (const EventOutcome& outcome : commit.processed) outcomes.emplace(outcome.seq, &outcome);
  for (const Event& event : commit.events) {
    if (const auto found = outcomes.extract(event.seq))
      write_event(db, town, event, *found.mapped(), at);
    else
      write_event(db, town, event);
  }
  for (const EventOutcome& outcome : commit.processed)
    if (outcomes.contains(outcome.seq)) write_outcome(db, town, outcome, at);
  if (commit.tick) write_tick(db, town, *commit.tick);
  for (const RowChange& change : commit.rows) write_row(db, commit.town_id, change);
  for (const HistoryRow& row : commit.history) write_history(db, town, row);
  for (const auto& [hash, text] : commit.texts)
    db.run("INSERT INTO texts (town_id, hash, text) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", town, hash.hex(),
           text);
  for (const Effect& effect : commit.effects)
    write_effect(db, town, StoredEffect{effect, EffectState::pending, 0, {}}, at);
  for (const StoredEffect& outcome : commit.outcomes) write_effect(db, town, outcome, at);
}

void write_token(Connection& db, const TokenRow& token) {
  db.run(
      "INSERT INTO tokens (id, hash, role, town_id, agent_id, run_id, created_at, ended_at, revoked)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET hash = ?2, role = ?3,"
      " town_id = ?4, agent_id = ?5, run_id = ?6, created_at = ?7, ended_at = ?8, revoked = ?9",
      token.id, token.hash, token.role, token.town_id, token.agent_id, token.run_id, token.created_at, token.ended_at,
      token.revoked);
}

std::int64_t write_agent_event(Connection& db, const TownId& town, const AgentId& agent, const AgentEventRow& row) {
  std::int64_t number = 1;
  if (Rows rows = db.query("SELECT coalesce(max(id), 0) + 1 FROM agent_events WHERE town_id = ?1 AND agent_id = ?2",
                           town.text, agent.text);
      rows.next())
    number = rows.integer(0);
  db.run(
      "INSERT INTO agent_events (town_id, agent_id, id, event_type, data, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      town.text, agent.text, number, row.event_type, row.data, row.created_at);
  db.run("DELETE FROM agent_events WHERE town_id = ?1 AND agent_id = ?2 AND id <= ?3", town.text, agent.text,
         number - kAgentEventsKept);
  return number;
}

std::int64_t forget(Connection& db, Instant before, int limit) {
  std::int64_t gone = 0;
  // The newest event and tick of a town stay: they say where its counting goes on. What came after the newest snapshot
  // stays too: without it the past would have a hole.
  db.run(
      "DELETE FROM town_events WHERE rowid IN (SELECT rowid FROM town_events AS e WHERE fate IN ('applied', 'refused')"
      " AND processed_at < ?1 AND seq < (SELECT max(seq) FROM town_events WHERE town_id = e.town_id)"
      " AND processed_at < coalesce((SELECT max(at) FROM snapshots WHERE town_id = e.town_id), ?1) LIMIT ?2)",
      before, limit);
  gone += db.changes();
  db.run(
      "DELETE FROM ticks WHERE rowid IN (SELECT rowid FROM ticks AS t WHERE at < ?1"
      " AND number < (SELECT max(number) FROM ticks WHERE town_id = t.town_id)"
      " AND number <= coalesce((SELECT max(tick) FROM snapshots WHERE town_id = t.town_id), number) LIMIT ?2)",
      before, limit);
  gone += db.changes();
  db.run(
      "DELETE FROM snapshots WHERE rowid IN (SELECT rowid FROM snapshots AS s WHERE at < ?1"
      " AND tick < (SELECT max(tick) FROM snapshots WHERE town_id = s.town_id) LIMIT ?2)",
      before, limit);
  gone += db.changes();
  // The history of a bead that is still in the value is kept for as long as it is.
  db.run(
      "DELETE FROM bead_events WHERE id IN (SELECT id FROM bead_events AS h WHERE at < ?1 AND NOT EXISTS"
      " (SELECT 1 FROM beads WHERE town_id = h.town_id AND bead_id = h.bead_id AND archived = 0) LIMIT ?2)",
      before, limit);
  gone += db.changes();
  db.run(
      "DELETE FROM effects WHERE id IN (SELECT id FROM effects WHERE state IN ('done', 'failed')"
      " AND created_at < ?1 LIMIT ?2)",
      before, limit);
  gone += db.changes();
  // An agent's newest stays as long as the agent: its counting goes on from there.
  db.run(
      "DELETE FROM agent_events WHERE rowid IN (SELECT rowid FROM agent_events AS e WHERE created_at < ?1"
      " AND (id < (SELECT max(id) FROM agent_events WHERE town_id = e.town_id AND agent_id = e.agent_id)"
      " OR NOT EXISTS (SELECT 1 FROM agents WHERE town_id = e.town_id AND agent_id = e.agent_id)) LIMIT ?2)",
      before, limit);
  gone += db.changes();
  db.run("DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE role = 'agent' AND ended_at < ?1 LIMIT ?2)",
         before, limit);
  gone += db.changes();
  return gone;
}

}  // namespace townd::sqlite
