#include <algorithm>
#include <utility>

#include "engine/state.hpp"

/// Towns in which nothing happens leave memory and come back when somebody names them or their time has come.
namespace townd {
namespace {

/// Nothing was said to it or asked of it, and no rule waits, for at least this long.
constexpr Duration kLeaveAfter = minutes(10);
constexpr Duration kLookForIdle = minutes(1);
/// From here on an idle town leaves for each that comes.
constexpr std::size_t kTownsKept = 256;

}  // namespace

/// A town that holds a share of the node's agents stays, for nobody else could be given it; so does one that wants a
/// share, and one with a rig that is looked at again.
bool Engine::State::may_leave(LiveTown& town) const {
  if (!town.quiet() || town.due() <= now + kLeaveAfter || queue.concerns(town.id) || !strays.empty()) return false;
  if (town.town.row().node.slots > 0 || town.node_said.slots > 0 || wanted_by(town) > 0) return false;
  const std::vector<RigId> rigs = town.town.rig_ids();
  return std::none_of(rigs.begin(), rigs.end(), [&](const RigId& id) {
    const Rig& rig = *town.town.rig(id);
    return !rig.broken_reason.empty() && !rig.setup_failed;
  });
}

void Engine::State::leave(const TownId& id, bool restarted) {
  const LiveTown& town = *towns.at(id);
  const Instant due = restarted ? now : town.due();
  away.emplace(id, Away{due, restarted});
  away_by_due.emplace(due, id);
  forget(id);
}

LiveTown* Engine::State::come_back(const TownId& id) {
  const auto found = away.find(id);
  if (found == away.end()) return nullptr;
  const Away was = found->second;
  away.erase(found);
  away_by_due.erase({was.due, id});
  if (towns.size() >= kTownsKept) make_room();
  load_town(id, was.restarted);
  LiveTown& town = *towns.at(id);
  note_use(town);
  return &town;
}

/// Whoever was not named for longest goes.
void Engine::State::make_room() {
  LiveTown* longest = nullptr;
  for (const auto& [id, town] : towns)
    if ((longest == nullptr || town->used_at < longest->used_at) && may_leave(*town)) longest = town.get();
  if (longest != nullptr) leave(longest->id, false);
}

/// Something about the node has changed, which may be what one of them waits for.
void Engine::State::call_all_back() {
  away_by_due.clear();
  for (auto& [id, was] : away) {
    was.due = now;
    away_by_due.emplace(now, id);
  }
}

/// Few at a time: one that has heard what it came for goes again when there are too many.
void Engine::State::bring_due_back() {
  std::erase_if(returning, [this](const TownId& id) {
    const auto found = towns.find(id);
    if (found == towns.end()) return true;
    LiveTown& town = *found->second;
    if (town.state == LiveTown::State::in_flight ||
        (town.state == LiveTown::State::ready && !town.trigger(now).empty()))
      return false;
    if (towns.size() > kTownsKept && may_leave(town)) leave(id, false);
    return true;
  });
  while (returning.size() < kReturnsAtOnce && !away_by_due.empty() && away_by_due.begin()->first <= now) {
    const TownId id = away_by_due.begin()->second;
    returning.insert(id);
    come_back(id);
  }
}

void Engine::State::look_for_idle_towns() {
  if (closing) return;
  bring_due_back();
  if (now < look_for_idle_at) return;
  look_for_idle_at = now + kLookForIdle;
  std::vector<TownId> idle;
  for (const auto& [id, town] : towns)
    if (now - town->used_at >= kLeaveAfter && may_leave(*town)) idle.push_back(id);
  for (const TownId& id : idle) leave(id, false);
}

bool Engine::State::too_many_to_stay(const LiveTown& town) const {
  return towns.size() > kTownsKept && town.quiet_but_for_restart() && !queue.concerns(town.id);
}

}  // namespace townd
