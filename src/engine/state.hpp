#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/carry_out.hpp"
#include "engine/effect_queue.hpp"
#include "engine/engine.hpp"
#include "engine/inbox.hpp"
#include "engine/live_town.hpp"
#include "engine/slots.hpp"

namespace townd {

/// Everything of the engine, used on one thread only but for the inbox and the list of names.
struct Engine::State {
  /// Towns that come back in one step because their time has come: the others are served in between.
  static constexpr std::size_t kReturnsAtOnce = 16;

  State(Ports ports, EngineOptions options);

  // ---- engine.cpp: a step ----
  expected<void> open();
  Instant step(Instant now);
  void hear(inbox::Item item);
  bool advance_stirred();
  bool advance(LiveTown& town);
  void plan(LiveTown& town);
  void forget(const TownId& id);  ///< it is no longer in memory
  [[nodiscard]] Instant due() const;
  [[nodiscard]] bool drained();

  // ---- towns.cpp: towns, their ticks and commits ----
  void create(inbox::Create create);
  void submit(inbox::Submit submit);
  void add_town(std::unique_ptr<LiveTown> town);
  /// Reads it from the store; one that cannot be read is quarantined. `restarted`: nobody listened to it before now.
  void load_town(const TownId& id, bool restarted);
  void serve_readers(LiveTown& town);
  void dry_run(LiveTown& town, inbox::DryRun dry_run);
  void tick_town(LiveTown& town, std::string_view trigger);
  void commit(LiveTown& town, TownCommit commit);
  void committed(const inbox::Committed& committed);
  void landed(LiveTown& town);
  void crashed(LiveTown& town, const Error& error);
  void try_reload(LiveTown& town);
  void quarantine(LiveTown& town, const std::string& why);
  void publish(const LiveTown& town, const Flight& flight);
  void alarm(const TownId& town, std::string_view kind, const std::string& message);

  // ---- away.cpp: towns that are not in memory ----
  [[nodiscard]] bool may_leave(LiveTown& town) const;
  void leave(const TownId& id, bool restarted);
  LiveTown* come_back(const TownId& id);
  void make_room();
  void call_all_back();
  void bring_due_back();
  void look_for_idle_towns();
  /// Just loaded at the start, with more loaded before it than are kept, and nothing outside concerns it.
  [[nodiscard]] bool too_many_to_stay(const LiveTown& town) const;

  // ---- snapshots.cpp ----
  void note_snapshot(LiveTown& town);
  void keep_snapshots();
  void snapshot_kept(const inbox::SnapshotKept& kept);
  void check_past(const TownId& town, Instant before);

  // ---- outside.cpp: effects and observations ----
  bool begin_effects();  ///< whether anything began
  void begin(EffectQueue::Waiting waiting);
  void ended(const inbox::EffectEnded& ended);
  void settle_doubts(LiveTown& town);
  void observe();
  std::optional<EventBody> end_of_run(LiveTown& town, const Observation& seen);
  void reminded(const inbox::Reminded& reminded);
  void end_tokens(LiveTown& town, const Flight& flight);
  void look_at_the_node();
  void keep_house();
  void look_at_broken_rigs();
  void rig_looked_at(const inbox::RigLookedAt& looked);
  void share_slots();
  [[nodiscard]] int wanted_by(LiveTown& town) const;
  [[nodiscard]] SlotUse use_of(LiveTown& town) const;
  /// The shares are looked at again if what it has of them or could use is not what they were made for.
  void note_use(LiveTown& town);
  void say_node(LiveTown& town, int slots);
  /// Runs a job in the pool; what it answers is posted.
  void in_pool(std::string_view kind, std::function<inbox::Item()> job);

  /// The town, brought back when it is away; null when there is none.
  [[nodiscard]] LiveTown* find(const TownId& id);
  [[nodiscard]] LiveTown* town_of_run(const RunId& run);

  const Ports ports;
  const EngineOptions options;
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  std::function<void(std::string_view, std::function<void()>)> pool;
  std::vector<std::function<void(const TownId&, const StreamItem&)>> listeners;

  Instant now;                                        ///< of the step under way; never goes back
  std::map<TownId, std::unique_ptr<LiveTown>> towns;  ///< those in memory
  std::set<TownId> stirred;                           ///< those with which something happened: to be looked at
  std::set<std::pair<Instant, TownId>> by_due;        ///< when each is to be looked at although nothing happens
  struct Away {
    Instant due;             ///< when a rule waits for it, or something is to be told to it
    bool restarted = false;  ///< it has not heard yet that nobody listened for a while
  };
  std::map<TownId, Away> away;
  std::set<std::pair<Instant, TownId>> away_by_due;
  std::set<TownId> returning;              ///< came back because they were due, and are not served yet
  std::map<std::string, TownId> prefixes;  ///< of all towns; changed under `names_mutex`
  Instant look_for_idle_at;
  EffectQueue queue;
  Hands hands;
  int jobs = 0;  ///< in the pool
  std::set<RunId> strays;
  NodeFacts facts;
  Instant look_at_node_at;
  bool looking_at_node = false;
  Instant keep_house_at;
  Instant look_at_rigs_at;
  std::map<std::pair<TownId, RigId>, Instant> rigs_checked_at;  ///< broken ones
  bool shares_moved = true;                                     ///< something changed that the shares depend on
  std::int64_t grants = 0;
  bool closing = false;
  std::set<TownId> snapshots_due;
  bool keeping_snapshot = false;  ///< one at a time: it is the disk's least urgent work

  mutable std::mutex names_mutex;
  std::vector<TownId> names;
};

}  // namespace townd
