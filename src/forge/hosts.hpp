#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "core/rows.hpp"
#include "forge/host.hpp"
#include "forge/host_settings.hpp"
#include "ports/clock.hpp"

namespace townd {

/// Told when a pull request is found to be another than it was, while something else was asked for.
using Noticed = std::function<void(const TownId&, const events::PrNoticed&)>;

/// Makes what speaks to one host.
std::unique_ptr<Host> make_host(const HostSettings& settings, const Clock& clock, const std::atomic<bool>& stop);

/// The hosts that townd may use. How all pull requests of one stand is asked in one request; polls
/// that come soon after are answered from that.
class Hosts {
 public:
  Hosts(const std::vector<HostSettings>& settings, const Clock& clock, Noticed noticed);
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  /// Ends what is under way, and all that comes.
  void stop() { stop_ = true; }

  /// Of a host's name; null when it is none that townd may use.
  [[nodiscard]] Host* at(const std::string& host) const;
  [[nodiscard]] HostKind kind_of(const std::string& host) const;

  /// Younger than `fresh`.
  Asked<events::PollAnswer> poll(const TownId& town, const RigId& rig, const PrPlace& place, Duration fresh);
  [[nodiscard]] std::vector<HostCalls> calls() const;
  /// What is known of it is out of date.
  void changed(const RigId& rig, int number);  ///< 0: any

 private:
  using Key = std::tuple<TownId, RigId, int>;
  struct Known {
    PrPlace place;
    Instant wanted_at;
    MaybeInstant asked_at;
    int changes = 0;  ///< by us; an answer to what was asked before one says nothing
    Asked<events::PollAnswer> answer;
  };
  struct One {
    HostSettings settings;
    std::unique_ptr<Host> host;
    std::mutex asking;  ///< held while the host is asked, so that it is asked once for all who wait
    std::mutex mutex;   ///< of what follows
    std::map<Key, Known> known;
  };

  void ask(One& one, const Key& key, Instant now) const;

  const Clock& clock_;
  const Noticed noticed_;
  std::atomic<bool> stop_ = false;
  std::map<std::string, std::unique_ptr<One>> hosts_;
};

}  // namespace townd
