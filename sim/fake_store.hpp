#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/store.hpp"
#include "sim/complaints.hpp"

namespace townd::sim {

/// A store in memory. Commits are durable at once, or when `flush` says so; a crash loses what was not flushed.
class FakeStore : public Store {
 public:
  explicit FakeStore(Complaints& complaints) : complaints_(complaints) {}

  // ---- what a test decides ----
  bool by_hand = false;  ///< commits wait for `flush`
  int fail_next = 0;     ///< so many commits fail
  int fail_loads = 0;
  std::function<void(TickRecord&)> alter_tick;  ///< of those that are to be run again
  void flush(std::size_t at_most = SIZE_MAX);
  [[nodiscard]] std::size_t unflushed() const { return queue_.size(); }
  /// The process is gone: nobody hears about the rest. The first `survivors` of it were durable all the same.
  void crash(std::size_t survivors = 0);

  // ---- what a test looks at ----
  [[nodiscard]] int commits() const { return commits_; }
  /// How often the town was read.
  [[nodiscard]] int loads_of(const TownId& town) const;
  /// By tick.
  [[nodiscard]] std::map<std::int64_t, KeptSnapshot> snapshots_of(const TownId& town) const;
  [[nodiscard]] std::vector<TickRecord> ticks_of(const TownId& town) const;
  [[nodiscard]] std::vector<std::pair<Event, EventFate>> events_of(const TownId& town) const;
  [[nodiscard]] std::map<std::string, StoredEffect> outbox_of(const TownId& town) const;

  // ---- Store ----
  expected<std::vector<TownId>> towns() override;
  expected<LoadedTown> load(const TownId& town) override;
  void commit(TownCommit commit, Committed done) override;
  expected<std::vector<EventRow>> events(const TownId& town, const EventQuery& query) override;
  expected<std::vector<TickRow>> ticks(const TownId& town, const TickQuery& query) override;
  expected<std::vector<Event>> pending(const TownId& town) override;
  expected<std::vector<StoredEffect>> effects(const TownId& town, const std::vector<std::string>& keys) override;
  expected<std::vector<RecordedTick>> recorded(const TownId& town, std::int64_t after, int limit) override;
  expected<SnapshotMade> keep_snapshot(const TownId& town) override;
  expected<std::vector<SnapshotMade>> snapshots(const TownId& town) override;
  expected<KeptSnapshot> snapshot(const TownId& town, Instant latest) override;
  expected<std::vector<HistoryRow>> history(const TownId& town, const BeadId& bead, int limit) override;
  expected<std::optional<std::string>> text(const TownId& town, const Hash128& hash) override;
  expected<std::int64_t> add_agent_event(const TownId& town, const AgentId& agent, AgentEventRow row) override;
  expected<std::vector<AgentEventRow>> agent_events(const TownId& town, const AgentId& agent, std::int64_t after,
                                                    int limit) override;
  expected<void> put_token(const TokenRow& token) override;
  expected<std::vector<TokenRow>> tokens() override;

 private:
  struct Outcome {
    EventOutcome outcome;
    MaybeInstant at;  ///< unset while deferred
  };
  struct Held {
    std::map<RowKey, AnyRow> rows;
    std::map<std::int64_t, Event> events;
    std::map<std::int64_t, Outcome> outcomes;  ///< of the events that were looked at, by seq
    std::map<std::string, StoredEffect> outbox;
    std::vector<std::string> outbox_order;
    std::map<Hash128, std::string> texts;
    std::vector<HistoryRow> history;
    std::vector<TickRecord> ticks;
    std::map<std::int64_t, KeptSnapshot> snapshots;  ///< by tick
  };
  struct Waiting {
    TownCommit commit;
    Committed done;
  };

  void keep(const TownCommit& commit);
  void keep_events(Held& town, const TownCommit& commit);
  void keep_effects(Held& town, const TownCommit& commit);

  Complaints& complaints_;
  mutable std::recursive_mutex mutex_;
  std::map<TownId, Held> towns_;
  std::map<std::pair<TownId, AgentId>, std::deque<AgentEventRow>> agent_events_;
  std::map<std::string, TokenRow> tokens_;
  std::deque<Waiting> queue_;
  int commits_ = 0;
  std::map<TownId, int> loads_;
};

}  // namespace townd::sim
