#include "engine/effect_queue.hpp"

#include <algorithm>

namespace townd {

void EffectQueue::add(const TownId& town, StoredEffect effect, Instant not_before) {
  const Key key{town, effect.effect.key};
  if (running_.contains(key) || !waiting_.insert(key).second) return;
  answered_.erase(key);
  kinds_[effect_kind(effect.effect.body)].waiting.push_back({town, std::move(effect), not_before});
}

std::optional<EffectQueue::Waiting> EffectQueue::begin(Instant now, const std::function<bool(const TownId&)>& may) {
  for (auto& [kind, lane] : kinds_) {
    if (lane.running >= lanes_) continue;
    const auto next = std::find_if(lane.waiting.begin(), lane.waiting.end(), [&](const Waiting& waiting) {
      return waiting.not_before <= now && may(waiting.town) && !busy(waiting);
    });
    if (next == lane.waiting.end()) continue;
    Waiting begun = std::move(*next);
    lane.waiting.erase(next);
    ++lane.running;
    const Key key{begun.town, begun.effect.effect.key};
    waiting_.erase(key);
    running_.emplace(key, begun);
    return begun;
  }
  return std::nullopt;
}

std::optional<EffectQueue::Waiting> EffectQueue::end(const TownId& town, const std::string& key) {
  const auto found = running_.find({town, key});
  if (found == running_.end()) return std::nullopt;
  Waiting ended = std::move(found->second);
  running_.erase(found);
  answered_.insert({town, key});
  --kinds_[effect_kind(ended.effect.effect.body)].running;
  return ended;
}

bool EffectQueue::busy(const Waiting& waiting) const {
  const std::string& key = waiting.effect.effect.key;
  const std::string kind_and_subject = key.substr(0, key.rfind(':') + 1);
  const auto same = [&](const Key& other) {
    return other.first == waiting.town && other.second.starts_with(kind_and_subject);
  };
  const auto running = running_.lower_bound({waiting.town, kind_and_subject});
  const auto answered = answered_.lower_bound({waiting.town, kind_and_subject});
  return (running != running_.end() && same(running->first)) || (answered != answered_.end() && same(*answered));
}

bool EffectQueue::has(const TownId& town, const std::string& key) const {
  return waiting_.contains({town, key}) || running_.contains({town, key});
}

bool EffectQueue::concerns(const TownId& town) const {
  const auto of_town = [&](const auto& keys, auto town_of) {
    const auto first = keys.lower_bound(Key{town, {}});
    return first != keys.end() && town_of(*first) == town;
  };
  return of_town(waiting_, [](const Key& key) { return key.first; }) ||
         of_town(running_, [](const auto& entry) { return entry.first.first; }) ||
         of_town(answered_, [](const Key& key) { return key.first; });
}

void EffectQueue::drop(const TownId& town) {
  for (auto& [kind, lane] : kinds_)
    std::erase_if(lane.waiting, [&](const Waiting& waiting) { return waiting.town == town; });
  std::erase_if(waiting_, [&](const Key& key) { return key.first == town; });
}

Instant EffectQueue::due(Instant now) const {
  Instant due = kNever;
  for (const auto& [kind, lane] : kinds_) {
    if (lane.running >= lanes_) continue;  // whoever ends there wakes the engine
    for (const Waiting& waiting : lane.waiting)
      if (waiting.not_before > now) due = std::min(due, waiting.not_before);
  }
  return due;
}

}  // namespace townd
