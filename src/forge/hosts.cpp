#include "forge/hosts.hpp"

#include "forge/gitea.hpp"
#include "forge/github.hpp"
#include "forge/gitlab.hpp"

namespace townd {
namespace {

constexpr Duration kWanted = minutes(15);  ///< nobody has asked for longer: it is asked about no more

/// What a rule could decide by.
bool same(const Asked<events::PollAnswer>& left, const Asked<events::PollAnswer>& right) {
  if (left.has_value() != right.has_value()) return false;
  if (!left) return true;
  return left->status == right->status && left->head == right->head &&
         left->mergeable_state == right->mergeable_state && left->review_decision == right->review_decision &&
         left->threads == right->threads && left->failing_checks == right->failing_checks &&
         left->all_checks_pass == right->all_checks_pass && left->checks_pending == right->checks_pending;
}

}  // namespace

std::unique_ptr<Host> make_host(const HostSettings& settings, const Clock& clock, const std::atomic<bool>& stop) {
  switch (settings.kind) {
    case HostKind::github: return std::make_unique<GitHub>(settings, clock, stop);
    case HostKind::gitlab: return std::make_unique<GitLab>(settings, clock, stop);
    case HostKind::gitea: break;
  }
  return std::make_unique<Gitea>(settings, clock, stop);
}

Hosts::Hosts(const std::vector<HostSettings>& settings, const Clock& clock, Noticed noticed)
    : clock_(clock), noticed_(std::move(noticed)) {
  for (const HostSettings& host : settings) {
    auto one = std::make_unique<One>();
    one->settings = host;
    one->host = make_host(host, clock, stop_);
    hosts_.emplace(host.host, std::move(one));
  }
}

Host* Hosts::at(const std::string& host) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : found->second->host.get();
}

HostKind Hosts::kind_of(const std::string& host) const { return hosts_.at(host)->settings.kind; }

Asked<events::PollAnswer> Hosts::poll(const TownId& town, const RigId& rig, const PrPlace& place, Duration fresh) {
  One& one = *hosts_.at(place.repository.host);
  const Key key{town, rig, place.number};
  {  // whoever asks next asks about this one too
    const std::lock_guard lock(one.mutex);
    one.known[key].place = place;
    one.known[key].wanted_at = clock_.now();
  }
  const std::lock_guard alone(one.asking);
  const Instant now = clock_.now();
  bool young = false, doubted = false;
  {
    const std::lock_guard lock(one.mutex);
    const MaybeInstant asked_at = one.known[key].asked_at;
    young = asked_at && now >= *asked_at && now - *asked_at < fresh;
    doubted = !asked_at;
  }
  if (doubted) one.host->forget(place);
  if (!young) ask(one, key, now);
  const std::lock_guard lock(one.mutex);
  return one.known.at(key).answer;
}

void Hosts::ask(One& one, const Key& key, Instant now) const {
  std::vector<Key> keys;
  std::vector<PrPlace> places;
  std::vector<int> changes;
  {
    const std::lock_guard lock(one.mutex);
    std::erase_if(one.known, [now](const auto& entry) { return now - entry.second.wanted_at > kWanted; });
    for (const auto& [other, known] : one.known) {
      keys.push_back(other);
      places.push_back(known.place);
      changes.push_back(known.changes);
    }
  }
  auto answers = one.host->read(places);
  std::vector<Key> news;
  {
    const std::lock_guard lock(one.mutex);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Known& known = one.known[keys[i]];
      if (known.asked_at && keys[i] != key && !same(known.answer, answers[i])) news.push_back(keys[i]);
      known.answer = std::move(answers[i]);
      known.asked_at = known.changes == changes[i] ? MaybeInstant(now) : std::nullopt;
    }
  }
  if (!noticed_) return;
  for (const auto& [town, rig, number] : news) noticed_(town, {rig, number, {}, false});
}

std::vector<HostCalls> Hosts::calls() const {
  std::vector<HostCalls> all;
  for (const auto& [name, one] : hosts_)
    for (HostCalls& calls : one->host->calls()) all.push_back(std::move(calls));
  return all;
}

void Hosts::changed(const RigId& rig, int number) {
  for (auto& [name, one] : hosts_) {
    const std::lock_guard lock(one->mutex);
    for (auto& [key, known] : one->known) {
      if (std::get<1>(key) != rig || (number != 0 && std::get<2>(key) != number)) continue;
      known.asked_at.reset();
      ++known.changes;
      if (number != 0) one->host->forget(known.place);
    }
  }
}

}  // namespace townd
