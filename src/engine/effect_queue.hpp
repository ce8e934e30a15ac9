#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "ports/store.hpp"

namespace townd {

/// Effects that are committed and not over, of all towns. Each kind has its own lane, so that slow ones of one kind
/// never keep another kind waiting; within a lane they begin in the order in which they were committed. Of the same
/// kind and subject the next one does not begin before the answer of the one before it is committed: what is known then
/// may make it needless, or wrong.
class EffectQueue {
 public:
  explicit EffectQueue(int lanes) : lanes_(lanes) {}

  struct Waiting {
    TownId town;
    StoredEffect effect;
    Instant not_before;
  };

  /// Nothing happens when the same effect is waiting or running already.
  void add(const TownId& town, StoredEffect effect, Instant not_before = {});
  /// The next one whose lane is free, whose time has come and whose town `may` begin something; it runs from now on.
  std::optional<Waiting> begin(Instant now, const std::function<bool(const TownId&)>& may);
  /// The one that ran, off the list; none when it was not known to run. Its answer is still to be committed, unless it
  /// is added again.
  std::optional<Waiting> end(const TownId& town, const std::string& key);
  /// The answer is committed.
  void settled(const TownId& town, const std::string& key) { answered_.erase({town, key}); }
  /// Forgets what waits of a town; what runs goes on.
  void drop(const TownId& town);

  /// It waits or runs.
  [[nodiscard]] bool has(const TownId& town, const std::string& key) const;
  /// Something of this town waits, runs, or is not committed yet.
  [[nodiscard]] bool concerns(const TownId& town) const;
  /// When the next one that waits for time alone may begin.
  [[nodiscard]] Instant due(Instant now) const;

 private:
  using Key = std::pair<TownId, std::string>;
  struct Lane {
    std::deque<Waiting> waiting;
    int running = 0;
  };

  /// One of the same kind and subject runs, or its answer is not committed yet.
  [[nodiscard]] bool busy(const Waiting& waiting) const;

  int lanes_;
  std::map<std::string_view, Lane> kinds_;  // the names live in core
  std::set<Key> waiting_;
  std::map<Key, Waiting> running_;
  std::set<Key> answered_;  ///< ran, and nobody has committed yet what came of it
};

}  // namespace townd
