#include <algorithm>
#include <exception>
#include <utility>

#include "engine/observe.hpp"
#include "engine/slots.hpp"
#include "engine/state.hpp"

/// The engine's dealings with what is outside: effects begin and end, the runtime is listened to, the node's agents are
/// shared out.
namespace townd {
namespace {

/// How often the machine and the presets are looked at: often enough that a full disk is noticed before it is full.
constexpr Duration kLookAtNode = seconds(15);
/// What happened longer ago than this is forgotten, if it is settled; looked after this often.
constexpr Duration kRetention = days(7);
constexpr Duration kKeepHouse = hours(1);
/// How often it is looked whether a broken rig is due for its check.
constexpr Duration kLookAtRigs = minutes(1);
constexpr Duration kRetryFirst = seconds(1);
constexpr Duration kRetryMax = minutes(1);
/// After so many attempts an effect that can only be tried again has failed. A stop is never given up here: core says
/// when a run counts as lost, and its process must go all the same.
constexpr int kRetries = 10;

Duration retry_pause(int attempts) {
  return std::min(kRetryFirst * (std::int64_t{1} << std::min(attempts, 10)), kRetryMax);
}

bool never_given_up(const Effect& effect) { return std::holds_alternative<effects::StopAgent>(effect.body); }

/// What a town could start at once, were there slots.
int wanted_slots(const Town& town, Instant now, int total) {
  const int taken = town.slots_taken();
  int wanted = taken;
  for (const RigId& rig : town.rig_ids()) {
    const RigIndex& index = town.index(rig);
    const int cap = town.rig(rig)->config.max_polecats.value_or(town.config().max_polecats);
    int room = cap - index.busy_polecats;
    for (const ReadyKey& key : index.ready) {
      if (room <= 0 || wanted - taken >= total) break;
      const Gate gate = may_dispatch(town, *town.bead(key.bead_id), now);
      if (gate.open() || gate.reason == Reason::no_slot) {
        ++wanted;
        --room;
      } else if (gate.rig_wide()) {
        break;
      }
    }
  }
  return wanted;
}

/// Its share; what it gives up counts until that is committed.
int granted_to(const LiveTown& town) { return std::max(town.town.row().node.slots, town.node_said.slots); }

/// What the runtime says about the machine now, but what a run found out about a preset since the runtime last said
/// something new about it.
NodeFacts renewed(const NodeFacts& seen, const NodeFacts& said, const NodeFacts& known, int slots) {
  NodeFacts node = seen;
  node.slots = slots;
  for (PresetState& preset : node.presets) {
    const bool news = std::find(said.presets.begin(), said.presets.end(), preset) == said.presets.end();
    const auto same = std::find_if(known.presets.begin(), known.presets.end(),
                                   [&](const PresetState& k) { return k.preset == preset.preset; });
    if (!news && same != known.presets.end()) preset = *same;
  }
  return node;
}

}  // namespace

void Engine::State::in_pool(std::string_view kind, std::function<inbox::Item()> job) {
  ++jobs;
  pool(kind, [inbox = inbox, job = std::move(job)] { inbox->post(job()); });
}

// ---- effects
// ---------------------------------------------------------------------------------------------------------

bool Engine::State::begin_effects() {
  // A process that is about to end begins nothing: the outbox is its successor's.
  if (closing) return false;
  const auto may = [this](const TownId& id) {
    const auto town = towns.find(id);
    return town != towns.end() && town->second->state == LiveTown::State::ready;
  };
  bool begun = false;
  while (auto next = queue.begin(now, may)) {
    LiveTown& town = *find(next->town);
    begun = true;
    try {
      begin(std::move(*next));
    } catch (const std::exception& thrown) {
      quarantine(town, thrown.what());
    }
  }
  return begun;
}

void Engine::State::begin(EffectQueue::Waiting waiting) {
  const TownId id = waiting.town;
  const Effect& effect = waiting.effect.effect;
  auto work = carry_out(hands, find(id)->town, effect, now);
  if (auto* found = std::get_if<Found>(&work))
    return ended({id, effect.key, found->state, found->again, found->detail, std::move(found->fact)});
  in_pool(effect_kind(effect.body), [id, key = effect.key, job = std::get<Job>(std::move(work))]() -> inbox::Item {
    try {
      Found found = job();
      return inbox::EffectEnded{id, key, found.state, found.again, found.detail, std::move(found.fact)};
    } catch (const std::exception& thrown) {
      return inbox::EffectEnded{id, key, EffectState::unknown, false, thrown.what(), {}};
    }
  });
}

void Engine::State::ended(const inbox::EffectEnded& result) {
  auto effect = queue.end(result.town, result.key);
  LiveTown* town = find(result.town);
  if (!effect || town == nullptr || town->state == LiveTown::State::quarantined) return;
  StoredEffect& stored = effect->effect;
  ++stored.attempts;
  stored.state = result.state;
  stored.detail = result.detail;
  if (result.again) {
    if (never_given_up(stored.effect) || stored.attempts < kRetries)
      return queue.add(result.town, std::move(stored), now + retry_pause(stored.attempts));
    stored.state = EffectState::failed;
    alarm(result.town, "effect_failed", stored.effect.key + ": " + stored.detail);
  }
  if (stored.state == EffectState::unknown)
    town->in_doubt[result.key] = stored;
  else
    town->in_doubt.erase(result.key);
  if (result.fact)
    town->submit(Submission{*result.fact, {}, std::move(stored), {}});
  else
    town->store_outcome(std::move(stored));
}

void Engine::State::settle_doubts(LiveTown& town) {
  for (auto doubt = town.in_doubt.begin(); doubt != town.in_doubt.end();) {
    // One that is tried again, after a restart, says itself what it came to.
    if (queue.has(town.id, doubt->first) || still_in_doubt(town.town, doubt->second.effect)) {
      ++doubt;
      continue;
    }
    StoredEffect settled = std::move(doubt->second);
    settled.state = EffectState::done;
    settled.detail = "settled by what was seen afterwards";
    town.store_outcome(std::move(settled));
    doubt = town.in_doubt.erase(doubt);
  }
}

void Engine::State::end_tokens(LiveTown& town, const Flight& flight) {
  for (const RowKey& key : flight.result.changed) {
    if (key.table != RowKey::Table::run) continue;
    const RunId id(key.key);
    const Run* run = town.town.run(id);
    if (run != nullptr && run->state != RunState::ended) continue;
    town.reminded.erase(id);
    in_pool("token",
            [tokens = hands.tokens, observer = &ports.observer, town_id = town.id, id, at = now]() -> inbox::Item {
              const auto over = tokens->end(id, at);
              return inbox::Say{[observer, town_id, id, over] {
                if (!over) observer->alarm({"token_not_ended", town_id, id.text + ": " + over.error().what});
              }};
            });
  }
}

// ---- the runtime
// -----------------------------------------------------------------------------------------------------

void Engine::State::observe() {
  if (closing) return;
  for (const Observation& seen : ports.runtime.observe()) {
    LiveTown* town = town_of_run(seen.run_id);
    if (town == nullptr || town->state == LiveTown::State::quarantined) continue;
    stirred.insert(town->id);
    if (const auto sign = sign_in(seen, now)) town->hear(*sign);
    if (is_end(seen)) town->submit(seen);
    if (!is_stray(town->town, seen, now) || !strays.insert(seen.run_id).second) continue;
    alarm(town->id, "stray_agent", "run " + seen.run_id.text + " is over, but its process lives");
    in_pool("stop_agent", [&runtime = ports.runtime, run = seen.run_id]() -> inbox::Item {
      // Whether it worked shows in what is observed next.
      static_cast<void>(runtime.stop(run));
      return inbox::StrayStopped{run};
    });
  }
}

std::optional<EventBody> Engine::State::end_of_run(LiveTown& town, const Observation& seen) {
  if (left_without_a_word(town.town, seen) && town.reminded.insert(seen.run_id).second) {
    if (auto spec = spec_of(town.town, seen.run_id, options.run_limits)) {
      in_pool("remind",
              [hands = hands, spec = std::move(*spec), seen, id = town.id, at = now]() mutable -> inbox::Item {
                inbox::Reminded reminded{id, seen, false};
                if (!hands.ports.runtime.can_remind(seen.run_id)) return reminded;
                auto texts = texts_for(hands.ports.store, spec.assignment);
                auto token = hands.tokens->make(id, seen.agent_id, seen.run_id, at);
                if (!texts || !token) return reminded;
                spec.texts = std::move(*texts);
                spec.token = std::move(*token);
                reminded.under_way = hands.ports.runtime.remind(spec).has_value();
                return reminded;
              });
      return std::nullopt;
    }
  }
  return fact_of_end(town.town, seen);
}

void Engine::State::reminded(const inbox::Reminded& reminded) {
  LiveTown* town = find(reminded.town);
  if (town != nullptr && !reminded.under_way) town->submit(reminded.exited);
}

// ---- the node
// --------------------------------------------------------------------------------------------------------

void Engine::State::look_at_the_node() {
  if (closing || looking_at_node || now < look_at_node_at) return;
  look_at_node_at = now + kLookAtNode;
  looking_at_node = true;
  in_pool("node", [&runtime = ports.runtime]() -> inbox::Item { return inbox::FactsFound{runtime.facts()}; });
}

void Engine::State::keep_house() {
  if (closing || now < keep_house_at) return;
  const bool just_opened = keep_house_at == Instant{};
  keep_house_at = now + kKeepHouse;
  if (just_opened) return;  // whoever starts the daemon waits for other things
  in_pool("house", [store = &ports.store, observer = &ports.observer, before = now - kRetention]() -> inbox::Item {
    const auto pruned = store->prune(before);
    return inbox::Say{[observer, pruned] {
      if (!pruned) observer->alarm({"prune_failed", {}, pruned.error().what});
    }};
  });
}

/// A broken rig may have become usable without anybody telling townd: its host is back, its branch is there.
void Engine::State::look_at_broken_rigs() {
  if (closing || now < look_at_rigs_at) return;
  look_at_rigs_at = now + kLookAtRigs;
  for (const auto& [id, town] : towns) {
    if (town->state != LiveTown::State::ready) continue;
    for (const RigId& rig_id : town->town.rig_ids()) {
      const Rig& rig = *town->town.rig(rig_id);
      const std::pair key(id, rig_id);
      if (rig.broken_reason.empty() || rig.setup_failed) {
        rigs_checked_at.erase(key);
        continue;
      }
      const auto [checked, first] = rigs_checked_at.emplace(key, now);
      if (first || now - checked->second < town->town.constants().rig_check) continue;
      checked->second = now;
      in_pool("rig", [&forge = ports.forge, town_id = id, rig]() -> inbox::Item {
        return inbox::RigLookedAt{town_id, rig_checked(rig.rig_id, forge.prepare_rig(town_id, rig))};
      });
    }
  }
}

/// The same answer again is no news.
void Engine::State::rig_looked_at(const inbox::RigLookedAt& looked) {
  LiveTown* town = find(looked.town);
  const Rig* rig = town == nullptr ? nullptr : town->town.rig(looked.found.rig_id);
  if (rig != nullptr && rig->broken_reason != looked.found.broken_reason)
    town->submit(Submission{looked.found, {}, {}, {}});
}

int Engine::State::wanted_by(LiveTown& town) const {
  if (!town.slots_wanted) town.slots_wanted = wanted_slots(town.town, now, options.max_agents);
  return *town.slots_wanted;
}

SlotUse Engine::State::use_of(LiveTown& town) const {
  const int taken = town.town.slots_taken();
  return {granted_to(town), taken, wanted_by(town), town.slots_given, town.slots_used || taken > 0};
}

void Engine::State::note_use(LiveTown& town) {
  if (town.state == LiveTown::State::ready && town.shared_as != use_of(town)) shares_moved = true;
}

void Engine::State::share_slots() {
  if (!std::exchange(shares_moved, false)) return;
  std::vector<LiveTown*> sharing;
  std::vector<SlotUse> uses;
  int spoken_for = 0;
  for (auto& [id, town] : towns) {
    // While a commit is in flight its town's share stays what it is; the commit's end looks here again.
    spoken_for += granted_to(*town);
    town->shared_as.reset();
    if (town->state != LiveTown::State::ready) continue;
    const SlotUse use = use_of(*town);
    town->slots_used = use.used;
    uses.push_back(use);
    sharing.push_back(town.get());
  }
  int shared = options.max_agents - spoken_for;
  for (const SlotUse& use : uses) shared += use.granted;
  const std::vector<int> shares = share_out(uses, shared);
  int free = options.max_agents - spoken_for;
  for (std::size_t i = 0; i < sharing.size(); ++i) {
    LiveTown& town = *sharing[i];
    // What another town gives up is only given away once that is committed there.
    int slots = shares[i];
    if (slots > uses[i].granted) {
      slots = uses[i].granted + std::clamp(slots - uses[i].granted, 0, std::max(free, 0));
      free -= slots - uses[i].granted;
      if (slots > uses[i].granted) {
        town.slots_given = ++grants;
        town.slots_used = false;
      }
    }
    say_node(town, slots);
    town.shared_as = use_of(town);
  }
}

void Engine::State::say_node(LiveTown& town, int slots) {
  NodeFacts seen = facts;
  seen.slots = slots;
  seen.runtime_since = town.node_said.runtime_since;  // core's own: when it heard of a change
  if (seen == town.node_said) return;
  NodeFacts node = renewed(seen, town.node_said, town.town.row().node, slots);
  town.node_said = std::move(seen);
  town.submit(Submission{events::NodeChanged{std::move(node)}, {}, {}, {}});
  stirred.insert(town.id);
}

}  // namespace townd
