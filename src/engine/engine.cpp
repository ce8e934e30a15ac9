#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "engine/state.hpp"

namespace townd {

// ---- a step
// ----------------------------------------------------------------------------------------------------------

Engine::State::State(Ports p, EngineOptions o)
    : ports(p),
      options(o),
      pool([](std::string_view, const std::function<void()>& job) { job(); }),
      queue(o.start_lanes),
      hands{p, o.run_limits, std::make_shared<RunTokens>(p.store)} {}

Instant Engine::State::step(Instant at) {
  now = std::max(now, at);
  observe();
  look_at_the_node();
  keep_house();
  look_at_broken_rigs();
  look_for_idle_towns();
  for (auto next = by_due.begin(); next != by_due.end() && next->first <= now; ++next) stirred.insert(next->second);
  // What is posted while a town is served, by a store or a pool that answers at once, belongs to the same step.
  for (bool moved = true; moved;) {
    moved = false;
    for (inbox::Item& item : inbox->take()) {
      hear(std::move(item));
      moved = true;
    }
    share_slots();
    moved = advance_stirred() || moved;
    moved = begin_effects() || shares_moved || moved;
    keep_snapshots();
  }
  return due();
}

void Engine::State::hear(inbox::Item item) {
  struct Hear {
    State& state;
    void operator()(inbox::Submit& submit) { state.submit(std::move(submit)); }
    void operator()(inbox::Create& create) { state.create(std::move(create)); }
    void operator()(inbox::Heard& heard) {
      if (LiveTown* town = state.find(heard.town)) town->hear(heard.sign);
    }
    void operator()(inbox::Look& look) {
      LiveTown* town = state.find(look.town);
      if (town == nullptr)
        look.missing();
      else
        town->readers.emplace_back(std::move(look));
    }
    void operator()(inbox::DryRun& dry_run) {
      LiveTown* town = state.find(dry_run.town);
      if (town == nullptr)
        dry_run.answered(fail(Error::Code::not_found, "there is no town " + dry_run.town.text));
      else
        town->readers.emplace_back(std::move(dry_run));
    }
    void operator()(inbox::Committed& committed) { state.committed(committed); }
    void operator()(inbox::EffectEnded& ended) {
      --state.jobs;
      state.ended(ended);
    }
    void operator()(inbox::Reminded& reminded) {
      --state.jobs;
      state.reminded(reminded);
    }
    void operator()(inbox::FactsFound& found) {
      --state.jobs;
      state.looking_at_node = false;
      if (state.facts != found.facts) {
        state.shares_moved = true;
        state.call_all_back();
      }
      state.facts = std::move(found.facts);
    }
    void operator()(inbox::RigLookedAt& looked) {
      --state.jobs;
      state.rig_looked_at(looked);
    }
    void operator()(inbox::StrayStopped& stopped) {
      --state.jobs;
      state.strays.erase(stopped.run);
    }
    void operator()(inbox::PastChecked& checked) {
      --state.jobs;
      if (checked.difference) state.ports.observer.differs(checked.town, *checked.difference);
    }
    void operator()(inbox::SnapshotKept& kept) {
      --state.jobs;
      state.snapshot_kept(kept);
    }
    void operator()(inbox::Say& say) {
      --state.jobs;
      say.what();
    }
  };
  std::visit(Hear{*this}, item);
}

/// Whether one of them did something that can lead to more in the same step; such a one is looked at again.
bool Engine::State::advance_stirred() {
  bool moved = false;
  for (const TownId& id : std::exchange(stirred, {})) {
    const auto found = towns.find(id);
    if (found == towns.end()) continue;
    LiveTown& town = *found->second;
    if (advance(town)) {
      moved = true;
      stirred.insert(id);
    }
    plan(town);
  }
  return moved;
}

/// Files when it is to be looked at if nobody names it before.
void Engine::State::plan(LiveTown& town) {
  Instant due = kNever;
  if (town.state == LiveTown::State::ready) due = town.due();
  if (town.state == LiveTown::State::unreadable) due = town.retry_at;
  if (due == town.planned_for) return;
  by_due.erase({town.planned_for, town.id});
  town.planned_for = due;
  if (due != kNever) by_due.emplace(due, town.id);
}

void Engine::State::forget(const TownId& id) {
  const auto found = towns.find(id);
  by_due.erase({found->second->planned_for, id});
  ports.observer.left_memory(found->second->town);
  towns.erase(found);
}

/// Whether the town did something that can lead to more in the same step.
bool Engine::State::advance(LiveTown& town) {
  if (town.state == LiveTown::State::in_flight) return false;
  if (town.state == LiveTown::State::unreadable && now >= town.retry_at) try_reload(town);
  serve_readers(town);
  if (town.state != LiveTown::State::ready) return false;
  settle_doubts(town);
  const std::string_view trigger = town.trigger(now);
  // A process that is about to end answers what it was asked; whatever else is due is its successor's.
  if (!trigger.empty() && (!closing || trigger == "event")) {
    tick_town(town, trigger);
    return true;
  }
  if (!town.has_outcomes()) return false;
  commit(town, town.outcomes_only());
  return true;
}

Instant Engine::State::due() const {
  Instant due = std::min({queue.due(now), look_at_node_at, keep_house_at, look_at_rigs_at, look_for_idle_at});
  if (!away_by_due.empty() && returning.size() < kReturnsAtOnce) due = std::min(due, away_by_due.begin()->first);
  if (!by_due.empty()) due = std::min(due, by_due.begin()->first);
  return due;
}

bool Engine::State::drained() {
  return jobs == 0 && std::none_of(towns.begin(), towns.end(), [](const auto& entry) {
           const LiveTown& town = *entry.second;
           return town.state == LiveTown::State::in_flight ||
                  (town.state == LiveTown::State::ready && (town.waiting() > 0 || town.has_outcomes()));
         });
}

LiveTown* Engine::State::find(const TownId& id) {
  const auto found = towns.find(id);
  LiveTown* const town = found == towns.end() ? come_back(id) : found->second.get();
  if (town == nullptr) return nullptr;
  town->used_at = now;
  stirred.insert(id);
  return town;
}

LiveTown* Engine::State::town_of_run(const RunId& run) {
  for (const auto& [id, town] : towns)
    if (town->town.run(run) != nullptr) return town.get();
  return nullptr;
}

// ---- what others call
// ------------------------------------------------------------------------------------------------

Engine::Engine(Ports ports, EngineOptions options) : state_(std::make_unique<State>(ports, options)) {
  state_->ports.runtime.on_change([inbox = state_->inbox] { inbox->wake(); });
}

Engine::~Engine() = default;

expected<void> Engine::open() { return state_->open(); }

void Engine::submit(const TownId& town, EventBody body, Answered answered) {
  state_->inbox->post(inbox::Submit{town, std::move(body), std::move(answered), {}});
}

void Engine::submit(const TownId& town, MakeFact fact, Answered answered) {
  state_->inbox->post(inbox::Submit{town, {}, std::move(answered), std::move(fact)});
}

void Engine::create_town(TownRow row, Answered answered) {
  state_->inbox->post(inbox::Create{std::move(row), std::move(answered)});
}

void Engine::sign_of_life(const TownId& town, SignOfLife sign) {
  state_->inbox->post(inbox::Heard{town, std::move(sign)});
}

void Engine::look(const TownId& town, std::function<void(const View&)> seen, std::function<void()> missing) {
  state_->inbox->post(inbox::Look{town, std::move(seen), std::move(missing)});
}

void Engine::dry_run(const TownId& town, MaybeInstant until,
                     std::function<void(expected<std::vector<TimedTick>>)> answered) {
  state_->inbox->post(inbox::DryRun{town, until, std::move(answered)});
}

std::vector<TownId> Engine::towns() const {
  const std::lock_guard lock(state_->names_mutex);
  return state_->names;
}

TownId Engine::owner_of(std::string_view id) const {
  const std::lock_guard lock(state_->names_mutex);
  const auto found = state_->prefixes.find(std::string(id.substr(0, id.find('-'))));
  return found == state_->prefixes.end() ? TownId{} : found->second;
}

void Engine::on_stream(std::function<void(const TownId&, const StreamItem&)> listener) {
  state_->listeners.push_back(std::move(listener));
}

Instant Engine::step(Instant now) { return state_->step(now); }

void Engine::on_wake(std::function<void()> wake) { state_->inbox->on_wake(std::move(wake)); }

void Engine::run_effects_with(std::function<void(std::string_view kind, std::function<void()> job)> pool) {
  state_->pool = std::move(pool);
}

void Engine::close() {
  // Whoever asked before still gets what he asked for.
  for (inbox::Item& item : state_->inbox->take()) state_->hear(std::move(item));
  state_->closing = true;
  for (;;) {
    state_->step(state_->ports.clock.now());
    if (state_->drained()) return;
    state_->inbox->wait();
  }
}

}  // namespace townd
