#include "store/row_tables.hpp"

#include <charconv>

#include "codec/rows.hpp"

namespace townd::sqlite {

namespace {

/// The parts of a dependency's key.
struct DependencyKey {
  std::string_view bead;
  std::string_view depends_on;
  std::string_view kind;
};

DependencyKey split(std::string_view key) {
  constexpr char kUnitSeparator = 0x1f;
  const std::size_t first = key.find(kUnitSeparator);
  const std::size_t second = key.rfind(kUnitSeparator);
  if (first == std::string_view::npos || first == second) return {key, {}, {}};
  return {key.substr(0, first), key.substr(first + 1, second - first - 1), key.substr(second + 1)};
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Writes one row of a town, each kind into its own table.
struct Writer {
  Connection& db;
  const std::string& town;
  const std::string& json;  ///< the whole row

  void operator()(const TownRow& row) const {
    db.run(
        "INSERT INTO towns (town_id, name, prefix, paused, draining_since, config_version, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET name = ?2, prefix = ?3, paused = ?4,"
        " draining_since = ?5, config_version = ?6, row = ?7",
        town, row.name, row.prefix, row.paused, row.draining_since, row.config.version, json);
  }

  void operator()(const Rig& row) const {
    db.run(
        "INSERT INTO rigs (town_id, rig_id, name, git_url, default_branch, broken_reason, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET name = ?3, git_url = ?4,"
        " default_branch = ?5, broken_reason = ?6, row = ?7",
        town, row.rig_id.text, row.name, row.git_url, row.default_branch, row.broken_reason, json);
  }

  void operator()(const Bead& row) const {
    db.run(
        "INSERT INTO beads (town_id, bead_id, bead_type, status, priority, title, rig_id, parent_bead_id,"
        " assignee_agent_bead_id, dispatch_attempts, created_at, updated_at, closed_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO UPDATE SET"
        " bead_type = ?3, status = ?4, priority = ?5, title = ?6, rig_id = ?7, parent_bead_id = ?8,"
        " assignee_agent_bead_id = ?9, dispatch_attempts = ?10, created_at = ?11, updated_at = ?12,"
        " closed_at = ?13, archived = 0, row = ?14",
        town, row.bead_id.text, to_string(row.type), to_string(row.status), to_string(row.priority), row.title,
        row.rig_id.text, row.parent_bead_id.text, row.assignee_agent_bead_id.text, row.dispatch_attempts,
        row.created_at, row.updated_at, row.closed_at, json);
  }

  void operator()(const Agent& row) const {
    db.run(
        "INSERT INTO agents (town_id, agent_id, role, rig_id, name, status, current_hook_bead_id, run_id,"
        " last_activity_at, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET"
        " role = ?3, rig_id = ?4, name = ?5, status = ?6, current_hook_bead_id = ?7, run_id = ?8,"
        " last_activity_at = ?9, row = ?10",
        town, row.agent_id.text, to_string(row.role), row.rig_id.text, row.name, to_string(row.status),
        row.current_hook_bead_id.text, row.run_id.text, row.last_activity_at, json);
  }

  void operator()(const Run& row) const {
    std::optional<std::string_view> outcome;
    if (row.outcome) outcome = to_string(*row.outcome);
    db.run(
        "INSERT INTO runs (town_id, run_id, agent_id, bead_id, rig_id, kind, state, outcome, exit_reason, tokens,"
        " cost_micro_usd, requested_at, ended_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO UPDATE SET"
        " agent_id = ?3, bead_id = ?4, rig_id = ?5, kind = ?6, state = ?7, outcome = ?8, exit_reason = ?9,"
        " tokens = ?10, cost_micro_usd = ?11, requested_at = ?12, ended_at = ?13, archived = 0, row = ?14",
        town, row.run_id.text, row.agent_id.text, row.bead_id.text, row.rig_id.text, to_string(row.kind),
        to_string(row.state), outcome, row.exit_reason, row.tokens, row.cost_micro_usd, row.requested_at, row.ended_at,
        json);
  }

  void operator()(const Review& row) const {
    db.run(
        "INSERT INTO reviews (town_id, bead_id, source_bead_id, branch, target_branch, pr_url, verdict, result,"
        " merge_commit, row) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET"
        " source_bead_id = ?3, branch = ?4, target_branch = ?5, pr_url = ?6, verdict = ?7, result = ?8,"
        " merge_commit = ?9, archived = 0, row = ?10",
        town, row.bead_id.text, row.source_bead_id.text, row.branch, row.target_branch, row.pr_url,
        to_string(row.verdict), to_string(row.result), row.merge_commit, json);
  }

  void operator()(const Convoy& row) const {
    db.run(
        "INSERT INTO convoys (town_id, bead_id, total_beads, closed_beads, feature_branch, staged, landed_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET total_beads = ?3, closed_beads = ?4,"
        " feature_branch = ?5, staged = ?6, landed_at = ?7, archived = 0, row = ?8",
        town, row.bead_id.text, row.total_beads, row.closed_beads, row.feature_branch, row.staged, row.landed_at, json);
  }

  void operator()(const Dependency& row) const {
    const std::string_view kind = row.kind == DependencyKind::blocks ? "blocks" : "tracks";
    db.run(
        "INSERT INTO bead_dependencies (town_id, bead_id, depends_on_bead_id, dependency_type)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        town, row.bead_id.text, row.depends_on_bead_id.text, kind);
  }

  void operator()(const Nudge& row) const {
    db.run(
        "INSERT INTO nudges (town_id, nudge_id, agent_id, source, created_at, delivered_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET agent_id = ?3, source = ?4,"
        " created_at = ?5, delivered_at = ?6, row = ?7",
        town, row.nudge_id.text, row.agent_id.text, row.source, row.created_at, row.delivered_at, json);
  }

  void operator()(const Mail& row) const {
    db.run(
        "INSERT INTO mail (town_id, mail_id, from_agent_id, to_agent_id, subject, created_at, delivered_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET from_agent_id = ?3, to_agent_id = ?4,"
        " subject = ?5, created_at = ?6, delivered_at = ?7, row = ?8",
        town, row.mail_id.text, row.from_agent_id.text, row.to_agent_id.text, row.subject, row.created_at,
        row.delivered_at, json);
  }

  void operator()(const DeferredEvent& row) const {
    db.run(
        "INSERT INTO deferred_events (town_id, seq, attempts, reason, retry_at, row)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET attempts = ?3, reason = ?4, retry_at = ?5,"
        " row = ?6",
        town, row.event->seq, row.attempts, row.reason, row.retry_at, json);
  }
};

/// What leaves the value with a bead stays listable, the rest goes.
void remove(Connection& db, const std::string& town, const RowKey& key) {
  switch (key.table) {
    case RowKey::Table::town: db.run("DELETE FROM towns WHERE town_id = ?1", town); break;
    case RowKey::Table::rig: db.run("DELETE FROM rigs WHERE town_id = ?1 AND rig_id = ?2", town, key.key); break;
    case RowKey::Table::bead:
      db.run("UPDATE beads SET archived = 1 WHERE town_id = ?1 AND bead_id = ?2", town, key.key);
      break;
    case RowKey::Table::agent: db.run("DELETE FROM agents WHERE town_id = ?1 AND agent_id = ?2", town, key.key); break;
    case RowKey::Table::run:
      db.run("UPDATE runs SET archived = 1 WHERE town_id = ?1 AND run_id = ?2", town, key.key);
      break;
    case RowKey::Table::review:
      db.run("UPDATE reviews SET archived = 1 WHERE town_id = ?1 AND bead_id = ?2", town, key.key);
      break;
    case RowKey::Table::convoy:
      db.run("UPDATE convoys SET archived = 1 WHERE town_id = ?1 AND bead_id = ?2", town, key.key);
      break;
    case RowKey::Table::dependency: {
      const DependencyKey parts = split(key.key);
      db.run(
          "DELETE FROM bead_dependencies WHERE town_id = ?1 AND bead_id = ?2 AND depends_on_bead_id = ?3"
          " AND dependency_type = ?4",
          town, parts.bead, parts.depends_on, parts.kind);
      break;
    }
    case RowKey::Table::nudge: db.run("DELETE FROM nudges WHERE town_id = ?1 AND nudge_id = ?2", town, key.key); break;
    case RowKey::Table::mail: db.run("DELETE FROM mail WHERE town_id = ?1 AND mail_id = ?2", town, key.key); break;
    case RowKey::Table::deferred:
      db.run("DELETE FROM deferred_events WHERE town_id = ?1 AND seq = ?2", town, number_of(key.key));
      break;
  }
}

}  // namespace

void write_row(Connection& db, const TownId& town, const RowChange& change) {
  if (!change.row) return remove(db, town.text, change.key);
  // A dependency's columns are the whole row.
  const std::string json = std::holds_alternative<Dependency>(*change.row) ? std::string{} : encode_row(*change.row);
  std::visit(Writer{db, town.text, json}, *change.row);
}

}  // namespace townd::sqlite
