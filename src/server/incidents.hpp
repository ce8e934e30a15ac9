#pragma once

#include <map>
#include <string>

#include "ports/clock.hpp"
#include "ports/observer.hpp"
#include "server/workers.hpp"

namespace townd {

/// Bundles that are kept of incidents; the oldest goes for one more.
inline constexpr std::size_t kIncidentsKept = 16;

/// The bundle that is written of such a tick.
std::string incident_file(const TownId& town, std::int64_t tick);

/// Writes a bundle (town-bundle/1) of each tick in which an action was refused, an invariant found to be broken, or
/// something decided again otherwise: `bundles/<town>-tick-<n>.bundle` in the data folder. Of the same trouble of a
/// town one in 24 hours is enough. What cannot be written is an alarm to `told`.
class Incidents final : public Observer {
 public:
  Incidents(Observer& told, Store& store, Workers& workers, const Clock& clock, const std::string& data);

  void ticked(const Ticked& tick) override;
  void differs(const TownId& town, const Difference& difference) override;

 private:
  /// Whether it is the first trouble of this kind in a day.
  bool fresh(const TownId& town, const std::string& trouble);
  void keep(const TownId& town, const TickRecord& record, const std::string& trouble);

  Observer& told_;
  Store& store_;
  Workers& workers_;
  const Clock& clock_;
  const std::string folder_;
  std::map<std::string, Instant> kept_;  ///< when a bundle of this trouble was last written
};

}  // namespace townd
