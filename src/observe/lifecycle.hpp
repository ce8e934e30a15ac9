#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ports/clock.hpp"
#include "ports/observer.hpp"

namespace townd {

/// What happens in towns as lines of JSON (docs/lifecycle.md, share/lifecycle.schema.json), for people who keep them in
/// a database of their own. Beside what is told here a tick that drained, acted or violated is one line, and of the
/// others one a minute for each town.
class Lifecycle final : public Observer {
 public:
  /// `write` is given one line without its end; it must not block. Any thread may call it.
  using Write = std::function<void(std::string line)>;
  Lifecycle(Write write, const Clock& clock) : write_(std::move(write)), clock_(clock) {}

  void ticked(const Ticked& tick) override;
  void ticked_quietly(const QuietTick& tick) override;
  void effects_ended(const TownId& town, const std::vector<StoredEffect>& outcomes) override;

  /// An HTTP request was answered; `operation` is empty for one that asked for none.
  void answered(std::string_view operation, int status, double seconds, Instant at);

 private:
  Write write_;
  const Clock& clock_;
  std::map<TownId, Instant> tick_told_;  ///< when a line of a tick was last written
};

}  // namespace townd
