-- What agents' programs did, in their own words (reference-surface §a.2). Each agent counts its own; only the newest
-- are kept.
CREATE TABLE agent_events (
  town_id     TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  id          INTEGER NOT NULL,
  event_type  TEXT NOT NULL,
  data        TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (town_id, agent_id, id)
) STRICT;
