#include "forge/hosts.hpp"

#include "forge/github.hpp"

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
  return std::make_unique<GitHub>(settings, clock, stop);
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
  const std::lock_guard lock(one.mutex);
  const Instant now = clock_.now();
  const Key key{town, rig, place.number};
  Known& known = one.known[key];
  known.place = place;
  known.wanted_at = now;
  const bool young = known.asked_at && now >= *known.asked_at && now - *known.asked_at < fresh;
  if (!young) ask(one, key, now);
  return one.known.at(key).answer;
}

void Hosts::ask(One& one, const Key& key, Instant now) {
  std::erase_if(one.known, [now](const auto& entry) { return now - entry.second.wanted_at > kWanted; });
  std::vector<PrPlace> places;
  for (const auto& [other, known] : one.known) places.push_back(known.place);
  auto answers = one.host->read(places);
  auto answer = answers.begin();
  for (auto& [other, known] : one.known) {
    const bool news = known.asked_at && other != key && !same(known.answer, *answer);
    known.answer = std::move(*answer++);
    known.asked_at = now;
    if (news && noticed_) noticed_(std::get<0>(other), {std::get<1>(other), std::get<2>(other), {}, false});
  }
}

void Hosts::changed(const RigId& rig, const PrPlace& place) {
  const auto found = hosts_.find(place.repository.host);
  if (found == hosts_.end()) return;
  const std::lock_guard lock(found->second->mutex);
  for (auto& [key, known] : found->second->known)
    if (std::get<1>(key) == rig && std::get<2>(key) == place.number) known.asked_at.reset();
}

}  // namespace townd
