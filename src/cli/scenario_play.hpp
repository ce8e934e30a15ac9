#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "cli/scenario_match.hpp"
#include "codec/snapshot.hpp"
#include "core/tick.hpp"

namespace townd::cli {

/// A scenario's town while its operations are played.
class Played {
 public:
  explicit Played(Snapshot given);

  /// One operation of `when`. What is wrong with it, if anything is.
  std::optional<std::string> play(const json::value& op);

  [[nodiscard]] const Town& town() const { return town_; }
  [[nodiscard]] const TownImage& before() const { return before_; }
  /// What the last tick decided and applied.
  [[nodiscard]] const json::array& actions() const { return actions_; }
  [[nodiscard]] std::size_t pending_events() const { return pending_.size() + town_.deferred().size(); }
  /// Beads made since the beginning: id → type.
  [[nodiscard]] std::map<std::string, std::string> new_beads() const;

 private:
  void tick();
  std::optional<std::string> apply(EventBody body);
  std::optional<std::string> heartbeat(const json::value& op);
  std::optional<std::string> complete_review(const json::value& op);
  std::optional<std::string> set_status(const json::value& op);
  std::optional<std::string> poll_pr(const json::value& op);

  TownImage before_;
  Town town_;
  Instant now_;
  std::vector<Event> pending_;
  std::int64_t last_seq_ = 0;
  json::array actions_;
};

/// `expect.states` against the town as it is now.
std::optional<std::string> compare_states(const json::object& expected, const Played& played, const Matcher& matcher);

}  // namespace townd::cli
