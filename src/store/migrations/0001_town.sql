-- Times are milliseconds since 1970-01-01T00:00:00Z. `row` is the whole row as JSON and what townd reads back; the
-- columns beside it are for people, `sqlite3` and indexes. Nothing here is edited by hand while townd runs.

-- ---- the current state, one table for each kind of row ----

CREATE TABLE towns (
  town_id         TEXT NOT NULL PRIMARY KEY,
  name            TEXT NOT NULL,
  prefix          TEXT NOT NULL,
  paused          INTEGER NOT NULL,
  draining_since  INTEGER,
  config_version  INTEGER NOT NULL,
  row             TEXT NOT NULL
) STRICT;

CREATE TABLE rigs (
  town_id         TEXT NOT NULL,
  rig_id          TEXT NOT NULL,
  name            TEXT NOT NULL,
  git_url         TEXT NOT NULL,
  default_branch  TEXT NOT NULL,
  broken_reason   TEXT NOT NULL,
  row             TEXT NOT NULL,
  PRIMARY KEY (town_id, rig_id)
) STRICT;

-- A bead that has left the town's value stays here, archived, so that it can still be listed; so do its review, its
-- convoy and its runs.
CREATE TABLE beads (
  town_id                 TEXT NOT NULL,
  bead_id                 TEXT NOT NULL,
  bead_type               TEXT NOT NULL,
  status                  TEXT NOT NULL,
  priority                TEXT NOT NULL,
  title                   TEXT NOT NULL,
  rig_id                  TEXT NOT NULL,
  parent_bead_id          TEXT NOT NULL,
  assignee_agent_bead_id  TEXT NOT NULL,
  dispatch_attempts       INTEGER NOT NULL,
  created_at              INTEGER NOT NULL,
  updated_at              INTEGER NOT NULL,
  closed_at               INTEGER,
  archived                INTEGER NOT NULL DEFAULT 0,
  row                     TEXT NOT NULL,
  PRIMARY KEY (town_id, bead_id)
) STRICT;
CREATE INDEX beads_live ON beads (town_id) WHERE archived = 0;

CREATE TABLE agents (
  town_id               TEXT NOT NULL,
  agent_id              TEXT NOT NULL,
  role                  TEXT NOT NULL,
  rig_id                TEXT NOT NULL,
  name                  TEXT NOT NULL,
  status                TEXT NOT NULL,
  current_hook_bead_id  TEXT NOT NULL,
  run_id                TEXT NOT NULL,
  last_activity_at      INTEGER,
  row                   TEXT NOT NULL,
  PRIMARY KEY (town_id, agent_id)
) STRICT;

CREATE TABLE runs (
  town_id         TEXT NOT NULL,
  run_id          TEXT NOT NULL,
  agent_id        TEXT NOT NULL,
  bead_id         TEXT NOT NULL,
  rig_id          TEXT NOT NULL,
  kind            TEXT NOT NULL,
  state           TEXT NOT NULL,
  outcome         TEXT,
  exit_reason     TEXT NOT NULL,
  tokens          INTEGER NOT NULL,
  cost_micro_usd  INTEGER NOT NULL,
  requested_at    INTEGER NOT NULL,
  ended_at        INTEGER,
  archived        INTEGER NOT NULL DEFAULT 0,
  row             TEXT NOT NULL,
  PRIMARY KEY (town_id, run_id)
) STRICT;
CREATE INDEX runs_live ON runs (town_id) WHERE archived = 0;

CREATE TABLE reviews (
  town_id         TEXT NOT NULL,
  bead_id         TEXT NOT NULL,
  source_bead_id  TEXT NOT NULL,
  branch          TEXT NOT NULL,
  target_branch   TEXT NOT NULL,
  pr_url          TEXT NOT NULL,
  verdict         TEXT NOT NULL,
  result          TEXT NOT NULL,
  merge_commit    TEXT NOT NULL,
  archived        INTEGER NOT NULL DEFAULT 0,
  row             TEXT NOT NULL,
  PRIMARY KEY (town_id, bead_id)
) STRICT;
CREATE INDEX reviews_live ON reviews (town_id) WHERE archived = 0;

CREATE TABLE convoys (
  town_id         TEXT NOT NULL,
  bead_id         TEXT NOT NULL,
  total_beads     INTEGER NOT NULL,
  closed_beads    INTEGER NOT NULL,
  feature_branch  TEXT NOT NULL,
  staged          INTEGER NOT NULL,
  landed_at       INTEGER,
  archived        INTEGER NOT NULL DEFAULT 0,
  row             TEXT NOT NULL,
  PRIMARY KEY (town_id, bead_id)
) STRICT;
CREATE INDEX convoys_live ON convoys (town_id) WHERE archived = 0;

-- The columns are the whole row.
CREATE TABLE bead_dependencies (
  town_id             TEXT NOT NULL,
  bead_id             TEXT NOT NULL,
  depends_on_bead_id  TEXT NOT NULL,
  dependency_type     TEXT NOT NULL CHECK (dependency_type IN ('blocks', 'tracks')),
  PRIMARY KEY (town_id, bead_id, depends_on_bead_id, dependency_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE nudges (
  town_id       TEXT NOT NULL,
  nudge_id      TEXT NOT NULL,
  agent_id      TEXT NOT NULL,
  source        TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  delivered_at  INTEGER,
  row           TEXT NOT NULL,
  PRIMARY KEY (town_id, nudge_id)
) STRICT;

CREATE TABLE mail (
  town_id        TEXT NOT NULL,
  mail_id        TEXT NOT NULL,
  from_agent_id  TEXT NOT NULL,
  to_agent_id    TEXT NOT NULL,
  subject        TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  delivered_at   INTEGER,
  row            TEXT NOT NULL,
  PRIMARY KEY (town_id, mail_id)
) STRICT;

CREATE TABLE deferred_events (
  town_id   TEXT NOT NULL,
  seq       INTEGER NOT NULL,
  attempts  INTEGER NOT NULL,
  reason    TEXT NOT NULL,
  retry_at  INTEGER NOT NULL,
  row       TEXT NOT NULL,
  PRIMARY KEY (town_id, seq)
) STRICT;

-- ---- what happened ----

-- `agent_id`, `bead_id` and `payload` are the fact as it was said and are never changed; `about_bead_id` is the bead
-- under which it is found, also one that it made. `fate`: empty while pending, then `applied`, `deferred`,
-- `quarantined` or `refused`.
CREATE TABLE town_events (
  town_id       TEXT NOT NULL,
  seq           INTEGER NOT NULL,
  format        INTEGER NOT NULL,
  event_type    TEXT NOT NULL,
  agent_id      TEXT NOT NULL,
  bead_id       TEXT NOT NULL,
  about_bead_id TEXT NOT NULL,
  payload       TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  processed_at  INTEGER,
  retries       INTEGER NOT NULL DEFAULT 0,
  fate          TEXT NOT NULL DEFAULT '',
  note          TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (town_id, seq)
) STRICT;
CREATE INDEX town_events_pending ON town_events (town_id, seq) WHERE fate = '';
CREATE INDEX town_events_bead ON town_events (town_id, about_bead_id, seq) WHERE about_bead_id <> '';
CREATE INDEX town_events_agent ON town_events (town_id, agent_id, seq) WHERE agent_id <> '';

-- `record` is the whole tick and carries its format.
CREATE TABLE ticks (
  town_id         TEXT NOT NULL,
  number          INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  trigger         TEXT NOT NULL,
  config_version  INTEGER NOT NULL,
  decisions       INTEGER NOT NULL,
  wall_us         INTEGER NOT NULL,
  digest          TEXT NOT NULL,
  record          TEXT NOT NULL,
  PRIMARY KEY (town_id, number)
) STRICT;

CREATE TABLE bead_events (
  id          INTEGER PRIMARY KEY,
  town_id     TEXT NOT NULL,
  bead_id     TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  event_type  TEXT NOT NULL,
  old_value   TEXT NOT NULL,
  new_value   TEXT NOT NULL,
  rule        TEXT NOT NULL,
  at          INTEGER NOT NULL
) STRICT;
CREATE INDEX bead_events_bead ON bead_events (town_id, bead_id, id);

-- A whole town at one tick, compressed.
CREATE TABLE snapshots (
  town_id  TEXT NOT NULL,
  tick     INTEGER NOT NULL,
  format   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  digest   TEXT NOT NULL,
  image    BLOB NOT NULL,
  PRIMARY KEY (town_id, tick)
) STRICT;

-- ---- what is still to be done outside, and what the rows name ----

CREATE TABLE effects (
  id        INTEGER PRIMARY KEY,
  town_id   TEXT NOT NULL,
  key       TEXT NOT NULL,
  kind      TEXT NOT NULL,
  body      TEXT NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed', 'unknown')),
  attempts  INTEGER NOT NULL,
  detail    TEXT NOT NULL,
  created_at INTEGER,
  UNIQUE (town_id, key)
) STRICT;
CREATE INDEX effects_open ON effects (town_id, id) WHERE state IN ('pending', 'unknown');

CREATE TABLE texts (
  town_id  TEXT NOT NULL,
  hash     TEXT NOT NULL,
  text     TEXT NOT NULL,
  PRIMARY KEY (town_id, hash)
) STRICT;

-- Never the token itself.
CREATE TABLE tokens (
  id          TEXT NOT NULL PRIMARY KEY,
  hash        TEXT NOT NULL UNIQUE,
  role        TEXT NOT NULL,
  town_id     TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  run_id      TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  revoked     INTEGER NOT NULL
) STRICT;
