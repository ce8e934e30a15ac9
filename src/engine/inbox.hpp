#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.hpp"

/// What other threads hand to the engine's thread.
namespace townd::inbox {

struct Submit {
  TownId town;
  EventBody body;
  Engine::Answered answered;
  Engine::MakeFact make;  ///< of the body, when it is not known yet
};
struct Create {
  TownRow row;
  Engine::Answered answered;
};
struct Heard {
  TownId town;
  SignOfLife sign;
};
struct Look {
  TownId town;
  std::function<void(const Engine::View&)> seen;
  std::function<void()> missing;
};
struct DryRun {
  TownId town;
  MaybeInstant until;
  std::function<void(expected<std::vector<TimedTick>>)> answered;
};
/// The store's word on the commit that a town has in flight.
struct Committed {
  TownId town;
  expected<void> result;
};
/// What an effect's job found out.
struct EffectEnded {
  TownId town;
  std::string key;
  EffectState state = EffectState::done;
  bool again = false;  ///< not over: try once more after a while
  std::string detail;
  std::optional<EventBody> fact;
};
/// A run was asked to finish what it began, or could not be.
struct Reminded {
  TownId town;
  Observation exited;
  bool under_way = false;
};
struct FactsFound {
  NodeFacts facts;
};
/// A broken rig was looked at again.
struct RigLookedAt {
  TownId town;
  events::RigChecked found;
};
/// A run that should be gone has been stopped again, or not.
struct StrayStopped {
  RunId run;
};
/// A snapshot was made, or not.
struct SnapshotKept {
  TownId town;
  expected<SnapshotMade> made;
};
/// A stretch of the past was decided again.
struct PastChecked {
  TownId town;
  std::optional<Difference> difference;
};
/// Something made elsewhere that has to be said on the engine's thread.
struct Say {
  std::function<void()> what;
};

using Item = std::variant<Submit, Create, Heard, Look, DryRun, Committed, EffectEnded, Reminded, FactsFound,
                          RigLookedAt, StrayStopped, SnapshotKept, PastChecked, Say>;

}  // namespace townd::inbox

namespace townd {

/// The one door into the engine's thread. It outlives the engine in the hands of jobs and commits that are still under
/// way when the engine goes; what they say then is heard by nobody.
class Inbox {
 public:
  void post(inbox::Item item);
  /// Everything posted since the last call, in order.
  std::vector<inbox::Item> take();
  void on_wake(std::function<void()> wake);
  void wake();
  /// Blocks until something is there.
  void wait();

 private:
  std::mutex mutex_;
  std::mutex wake_mutex_;  ///< held while waking, so that nobody is woken who has said goodbye
  std::condition_variable posted_;
  std::vector<inbox::Item> items_;
  std::function<void()> wake_;
};

}  // namespace townd
