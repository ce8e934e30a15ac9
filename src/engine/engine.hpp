#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/explain.hpp"
#include "core/tick.hpp"
#include "ports/clock.hpp"
#include "ports/forge.hpp"
#include "ports/observer.hpp"
#include "ports/runtime.hpp"
#include "ports/store.hpp"

namespace townd {

struct Ports {
  Store& store;
  Runtime& runtime;
  Forge& forge;
  Observer& observer;
  Clock& clock;
};

struct EngineOptions {
  int max_agents = 4;          ///< slots of this node, shared out over its towns
  int pending_limit = 10'000;  ///< pending events of a town; one more is refused with too_many
  int start_lanes = 4;         ///< effects of one kind that may run at once
  Limits run_limits;
};

/// What became of a submitted fact once it was durable.
struct Receipt {
  std::int64_t seq = 0;
  std::int64_t tick = 0;
  std::string note;
  std::vector<std::string> created;  ///< ids it made, in order
};

/// One line of the live stream (`GET …/stream`).
struct StreamItem {
  std::int64_t tick = 0;  ///< the stream's event id
  std::string kind;       ///< `tick bead agent alert`
  std::string id;
  std::string data;  ///< short `key=value` text: status or rule
};

/// The towns of a node: inboxes, ticks, outboxes. `step` has no threads in it; `Driver` (driver.hpp) owns those. All
/// callbacks run on the engine's thread, after the commit of what they report.
class Engine {
 public:
  Engine(Ports ports, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Loads every town, raises observation_gap, and takes the outbox up again.
  expected<void> open();

  using Answered = std::function<void(expected<Receipt>)>;
  /// Validated on the engine's thread against the current state; accepted: appended and applied in the same tick and
  /// answered after the commit. Thread-safe.
  void submit(const TownId& town, EventBody body, Answered answered);
  /// The same for a fact that is made of the state which it is going to meet; what `fact` refuses is the answer. It is
  /// asked on the engine's thread and must not throw.
  using MakeFact = std::function<expected<EventBody>(const Town&)>;
  void submit(const TownId& town, MakeFact fact, Answered answered);
  /// A new town; its id is `row.town_id`. Thread-safe.
  void create_town(TownRow row, Answered answered);
  /// Heartbeats. Thread-safe.
  void sign_of_life(const TownId& town, SignOfLife sign);

  /// Runs `look` on the engine's thread with the town's committed state. Thread-safe. `missing` runs when there is no
  /// such town.
  struct View {
    const Town& town;
    Instant now;
    Instant last_tick_at;
    std::int64_t last_tick;
    int pending_events;
    int effects_in_doubt;
    const TickRecord* last_record;                      ///< null before the first
    std::string quarantined;                            ///< why the town as a whole is not run; empty when it is
    const std::map<std::string, StoredEffect>& doubts;  ///< effects whose outcome is not known yet, by key
  };
  void look(const TownId& town, std::function<void(const View&)> seen, std::function<void()> missing);
  /// What the next tick would do now, and what will have followed by `until` if nothing else happens; everything is
  /// undone. Thread-safe.
  void dry_run(const TownId& town, MaybeInstant until, std::function<void(expected<std::vector<TimedTick>>)> answered);
  /// The ids of all towns. Thread-safe.
  [[nodiscard]] std::vector<TownId> towns() const;
  /// The town whose prefix the id begins with; empty when there is none. Thread-safe.
  [[nodiscard]] TownId owner_of(std::string_view id) const;

  /// Called for every stream item of every town, on the engine's thread.
  void on_stream(std::function<void(const TownId&, const StreamItem&)> listener);

  /// One pass over everything that is due at `now`; effects that were started run through `Effects::run`. Answers when
  /// it must be called again at the latest.
  Instant step(Instant now);
  /// Called from any thread when `step` should be called soon.
  void on_wake(std::function<void()> wake);
  /// How effects are run: the driver's pool, or the simulator at once. `job` may block.
  void run_effects_with(std::function<void(std::string_view kind, std::function<void()> job)> pool);

  /// No more dispatches from this process; returns when everything submitted is answered and committed.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace townd
