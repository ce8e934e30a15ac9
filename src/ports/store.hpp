#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/effect.hpp"
#include "core/expected.hpp"
#include "core/image.hpp"
#include "core/replay.hpp"

namespace townd {

enum class EffectState { pending, done, failed, unknown };
constexpr std::string_view to_string(EffectState state) {
  switch (state) {
    case EffectState::pending: return "pending";
    case EffectState::done: return "done";
    case EffectState::failed: return "failed";
    case EffectState::unknown: return "unknown";
  }
  return "unknown";
}

struct StoredEffect {
  Effect effect;
  EffectState state = EffectState::pending;
  int attempts = 0;
  std::string detail;
};

struct RowChange {
  RowKey key;
  std::optional<AnyRow> row;  ///< none: the row is gone
};

/// All that one town's tick leaves behind; written whole or not at all.
struct TownCommit {
  TownId town_id;
  std::vector<Event> events;               ///< arrived with this commit
  std::vector<EventOutcome> processed;     ///< of these and of earlier ones
  std::shared_ptr<const TickRecord> tick;  ///< null when only effect outcomes are written
  std::vector<RowChange> rows;
  std::vector<HistoryRow> history;
  std::vector<std::pair<Hash128, std::string>> texts;
  std::vector<Effect> effects;         ///< new in the outbox
  std::vector<StoredEffect> outcomes;  ///< of effects already there
};

struct LoadedTown {
  TownImage image;
  std::vector<Event> pending;        ///< recorded, not processed, not deferred
  std::vector<StoredEffect> outbox;  ///< pending and unknown ones, oldest first
  std::int64_t next_seq = 1;
  std::int64_t next_tick = 1;
  Instant last_tick_at;
  std::optional<Hash128> last_digest;  ///< what the last tick recorded; other rows were altered behind its back
  std::int64_t snapshot_tick = 0;      ///< of the newest snapshot; 0 when there is none
  Instant snapshot_at;
};

/// A whole town as it was after one of its ticks.
struct KeptSnapshot {
  std::int64_t tick = 0;
  Instant at;                         ///< the tick's time
  TownImage image;                    ///< bodies as their hashes
  std::vector<std::string> unusable;  ///< newer ones that were passed over, and why
};
struct SnapshotMade {
  std::int64_t tick = 0;
  Instant at;
};

struct EventQuery {
  Instant from;
  Instant to = kNever;
  std::string type;
  std::string bead_id;
  std::string agent_id;
  std::int64_t after_seq = 0;
  int limit = 100;
};

/// A recorded event as it is shown; `payload` is its JSON.
struct EventRow {
  std::int64_t seq = 0;
  std::string event_type;
  std::string agent_id;
  std::string bead_id;
  std::string payload;
  Instant created_at;
  MaybeInstant processed_at;
  std::string note;
  std::string fate;  ///< empty while pending, else `applied deferred quarantined refused`
};

/// Which recorded ticks to show: those to which everything that is given applies.
struct TickQuery {
  Instant from;
  Instant to = kNever;
  std::string rule;         ///< it decided or was refused something
  std::string bead_id;      ///< it is named in the record, or at this moment a fact about it was drained or it changed
  std::string agent_id;     ///< it is named in the record, signs of life included, or a fact of its was drained then
  bool violations = false;  ///< something was refused, or found to be broken
  std::int64_t after = 0;   ///< only greater numbers
  bool newest = false;      ///< the last ones, not the first
  int limit = 100;
};

/// A recorded tick as it is shown; `record` is its JSON.
struct TickRow {
  std::int64_t number = 0;
  Instant at;
  std::string record;
};

/// What an agent's program did, as it says itself. The store counts them for each agent.
struct AgentEventRow {
  std::int64_t id = 0;
  std::string event_type;
  std::string data;  ///< JSON
  Instant created_at;
};

/// Of each agent; older ones go. As many as the reference keeps in memory (reference-surface §c.3).
inline constexpr std::int64_t kAgentEventsKept = 2000;

struct TokenRow {
  std::string id;    ///< short public name
  std::string hash;  ///< SHA-256 of the token, hexadecimal
  std::string role;  ///< `admin operator viewer mayor agent`
  std::string town_id;
  std::string agent_id;
  std::string run_id;
  Instant created_at;
  MaybeInstant ended_at;  ///< of an agent's: still good for `done` and `completed` for 24 h
  bool revoked = false;
};

/// Where towns live between ticks. One writer; commits of many towns share one transaction.
class Store {
 public:
  virtual ~Store() = default;

  virtual expected<std::vector<TownId>> towns() = 0;
  virtual expected<LoadedTown> load(const TownId& town) = 0;

  /// Called once the commit is durable, or with the reason why it is not; from any thread.
  using Committed = std::function<void(const expected<void>&)>;
  virtual void commit(TownCommit commit, Committed done) = 0;

  virtual expected<std::vector<EventRow>> events(const TownId& town, const EventQuery& query) = 0;
  /// Oldest first.
  virtual expected<std::vector<TickRow>> ticks(const TownId& town, const TickQuery& query) = 0;
  /// Facts that no tick has taken yet, in the order of their arrival; those to be tried again are not among them.
  virtual expected<std::vector<Event>> pending(const TownId& town) = 0;
  /// Those of the outbox with these keys that are still remembered, in the order of the keys.
  virtual expected<std::vector<StoredEffect>> effects(const TownId& town, const std::vector<std::string>& keys) = 0;
  /// Ticks with a greater number than `after`, oldest first, with what running them again needs.
  virtual expected<std::vector<RecordedTick>> recorded(const TownId& town, std::int64_t after, int limit) = 0;

  /// Keeps the town as it is after its last recorded tick, read back and compared with that tick's digest. May take
  /// long and is called from a thread that can wait.
  virtual expected<SnapshotMade> keep_snapshot(const TownId& town) = 0;
  /// Those that are kept, oldest first, usable or not.
  virtual expected<std::vector<SnapshotMade>> snapshots(const TownId& town) = 0;
  /// The newest usable one of a tick at `latest` or before; not_found says what the earliest is.
  virtual expected<KeptSnapshot> snapshot(const TownId& town, Instant latest) = 0;

  /// The newest `limit` lines about a bead, oldest first.
  virtual expected<std::vector<HistoryRow>> history(const TownId& town, const BeadId& bead, int limit) = 0;
  virtual expected<std::optional<std::string>> text(const TownId& town, const Hash128& hash) = 0;

  /// Keeps one more; answers its number. The agent's oldest goes when there are more than `kAgentEventsKept`.
  virtual expected<std::int64_t> add_agent_event(const TownId& town, const AgentId& agent, AgentEventRow row) = 0;
  /// Those with a greater number than `after`, oldest first.
  virtual expected<std::vector<AgentEventRow>> agent_events(const TownId& town, const AgentId& agent,
                                                            std::int64_t after, int limit) = 0;

  virtual expected<void> put_token(const TokenRow& token) = 0;
  virtual expected<std::vector<TokenRow>> tokens() = 0;

  /// Forgets what happened before `before` and is settled: applied and refused events, ticks and snapshots (but each
  /// town's last), history of beads that have left the value, finished effects, what agents said they did, ended tokens
  /// of agents. Never the current state. Answers how many rows went; may take long and is called from a thread that can
  /// wait, not from within `Committed`.
  virtual expected<std::int64_t> prune(Instant /*before*/) { return 0; }
};

}  // namespace townd
