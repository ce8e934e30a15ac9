#include "observe/town_series.hpp"

#include <algorithm>

#include "core/effect.hpp"
#include "core/event.hpp"
#include "observe/metrics.hpp"
#include "observe/rule_actions.hpp"

namespace townd {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

/// From 10 µs to 10 s, and for what people wait for, from 100 ms to 6 h.
const std::vector<double> kTickBuckets{1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
                                       2e-2, 5e-2, 0.1,  0.2,  0.5,  1,    2,    5,    10};
const std::vector<double> kWaitBuckets{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21600};

constexpr std::array kReviewResults{ReviewResult::merged,     ReviewResult::failed,    ReviewResult::conflict,
                                    ReviewResult::superseded, ReviewResult::cancelled, ReviewResult::rounds_exhausted};
constexpr std::array kTrialOutcomes{events::TrialOutcome::green, events::TrialOutcome::red,
                                    events::TrialOutcome::conflict, events::TrialOutcome::error,
                                    events::TrialOutcome::broken};

/// The name of each alternative of a variant, by its index.
template <class Variant, class Name, std::size_t... I>
std::array<std::string, sizeof...(I)> names_of(Name name, std::index_sequence<I...>) {
  return {std::string(name(Variant(std::in_place_index<I>)))...};
}

const std::array<std::string, kEffectKinds>& names_of_effects() {
  static const auto names = names_of<EffectBody>([](const EffectBody& e) { return effect_kind(e); },
                                                 std::make_index_sequence<kEffectKinds>());
  return names;
}

auto counter(prometheus::Registry& registry, const char* name, const char* help) {
  return std::ref(BuildCounter().Name(name).Help(help).Register(registry));
}
auto gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return std::ref(BuildGauge().Name(name).Help(help).Register(registry));
}
auto histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return std::ref(BuildHistogram().Name(name).Help(help).Register(registry));
}

}  // namespace

TownFamilies::TownFamilies(prometheus::Registry& r)
    : tick_seconds(histogram(r, "townd_reconciler_tick_seconds", "Wall time of a tick without the wait for the disk")),
      ticks(counter(r, "townd_reconciler_ticks_total", "Ticks by what started them")),
      last_tick(gauge(r, "townd_reconciler_last_tick_timestamp_seconds", "When the town last ticked")),
      events(counter(r, "townd_reconciler_events_drained_total", "Facts that ticks were given")),
      actions(counter(r, "townd_reconciler_actions_total", "Corrections that were applied")),
      stale(
          counter(r, "townd_reconciler_actions_stale_total", "Corrections skipped: what they assumed no longer held")),
      effects(counter(r, "townd_side_effects_total", "Effects put in the outbox, and what they came to")),
      violations(counter(r, "townd_invariant_violations_total", "Invariants found broken or about to be")),
      misses(counter(r, "townd_agenda_misses_total", "Subjects that a rule acts on and the agenda did not expect")),
      mismatches(counter(r, "townd_replay_mismatches_total", "Ticks that were decided again, and otherwise")),
      pending(gauge(r, "townd_pending_events", "Facts that wait for the next tick")),
      quarantined(gauge(r, "townd_quarantined_events", "Facts that could not be applied")),
      in_doubt(gauge(r, "townd_effects_in_doubt", "Effects of which nobody knows whether they happened")),
      agents(gauge(r, "townd_agents", "Agents by status")),
      beads(gauge(r, "townd_beads", "Beads in memory by type and status")),
      runs_itself(gauge(r, "townd_town_runs", "0 while the town cannot be run: it is quarantined or unreadable")),
      paused(gauge(r, "townd_paused", "1 while somebody has paused the town")),
      draining(gauge(r, "townd_draining", "1 while the town drains")),
      live_runs(gauge(r, "townd_live_runs", "Runs that have not ended")),
      silent(gauge(r, "townd_silent_seconds", "Since the last sign of life of the live run that is silent longest")),
      runs_ended(counter(r, "townd_runs_ended_total", "Runs by how they ended")),
      breaker(gauge(r, "townd_breaker_open", "1 while too many failures keep work from being started")),
      slots(gauge(r, "townd_slots", "The town's share of the node's agents")),
      ready(gauge(r, "townd_ready_beads", "Issues that wait for nothing but their turn")),
      ready_head(gauge(r, "townd_ready_head_seconds", "How long the first ready issue has been ready")),
      ready_wait(histogram(r, "townd_ready_wait_seconds", "From ready to dispatched")),
      dispatch(histogram(r, "townd_dispatch_seconds", "From dispatched to the agent's first sign of life")),
      dispatches(counter(r, "townd_dispatches_total", "Dispatches that came to life or did not")),
      queue(gauge(r, "townd_merge_queue_depth", "Requests that are neither merged nor given up")),
      queue_head(gauge(r, "townd_merge_queue_head_seconds", "Since anything moved in a queue that is not empty")),
      queue_paused(gauge(r, "townd_merge_queue_paused", "1 while the queue is paused")),
      reviews(counter(r, "townd_reviews_ended_total", "Requests by how they ended")),
      trials(counter(r, "townd_trials_total", "Trials of the merge queue by outcome")),
      tokens(counter(r, "townd_tokens_total", "Tokens that agents said they used")),
      cost(counter(r, "townd_cost_usd_total", "Dollars that agents said they spent")) {}

RigSeries::RigSeries(TownFamilies& f, const std::string& town, const std::string& rig)
    : breaker(f.breaker.Add({{"town", town}, {"rig", rig}})),
      ready(f.ready.Add({{"town", town}, {"rig", rig}})),
      ready_head(f.ready_head.Add({{"town", town}, {"rig", rig}})),
      queue(f.queue.Add({{"town", town}, {"rig", rig}})),
      queue_head(f.queue_head.Add({{"town", town}, {"rig", rig}})),
      queue_paused(f.queue_paused.Add({{"town", town}, {"rig", rig}})) {}

TownSeries::TownSeries(TownFamilies& f, std::string name)
    : label(std::move(name)),
      families(f),
      tick_seconds(f.tick_seconds.Add({{"town", label}}, kTickBuckets)),
      last_tick(f.last_tick.Add({{"town", label}})),
      events(f.events.Add({{"town", label}})),
      misses(f.misses.Add({{"town", label}})),
      mismatches(f.mismatches.Add({{"town", label}})),
      pending(f.pending.Add({{"town", label}})),
      quarantined(f.quarantined.Add({{"town", label}})),
      in_doubt(f.in_doubt.Add({{"town", label}})),
      runs_itself(f.runs_itself.Add({{"town", label}})),
      paused(f.paused.Add({{"town", label}})),
      draining(f.draining.Add({{"town", label}})),
      live_runs(f.live_runs.Add({{"town", label}})),
      silent(f.silent.Add({{"town", label}})),
      breaker(f.breaker.Add({{"town", label}, {"rig", "_town"}})),
      slots_free(f.slots.Add({{"town", label}, {"state", "free"}})),
      slots_taken(f.slots.Add({{"town", label}, {"state", "taken"}})),
      ready_wait(f.ready_wait.Add({{"town", label}}, kWaitBuckets)),
      dispatch(f.dispatch.Add({{"town", label}}, kWaitBuckets)),
      started(f.dispatches.Add({{"town", label}, {"outcome", "started"}})),
      start_failed(f.dispatches.Add({{"town", label}, {"outcome", "failed"}})),
      tokens(f.tokens.Add({{"town", label}})),
      cost(f.cost.Add({{"town", label}})) {
  static const auto action_names = names_of<ActionBody>([](const ActionBody& a) { return action_type(a); },
                                                        std::make_index_sequence<kActionTypes>());
  const auto& effect_names = names_of_effects();
  for (std::size_t i = 0; i < kTriggers.size(); ++i)
    ticks.at(i) = &f.ticks.Add({{"town", label}, {"trigger", std::string(kTriggers.at(i))}});
  for (std::size_t i = 0; i < kActionTypes; ++i)
    stale.at(i) = &f.stale.Add({{"town", label}, {"type", action_names.at(i)}});
  for (const RuleAction& pair : rule_actions())
    for (const Rule& rule : rules())
      for (std::size_t i = 0; rule.id == pair.rule && i < kActionTypes; ++i)
        if (action_names.at(i) == pair.action) action(rule.id, i);
  for (std::size_t i = 0; i < kEffectKinds; ++i)
    for (std::size_t o = 0; o < kEffectOutcomes.size(); ++o)
      effects.at(i).at(o) = &f.effects.Add(
          {{"town", label}, {"kind", effect_names.at(i)}, {"outcome", std::string(kEffectOutcomes.at(o))}});
  for (std::size_t i = 0; i < kInvariants; ++i)
    violations.at(i) = &f.violations.Add({{"town", label}, {"invariant", std::to_string(i + 1)}});
  for (std::size_t i = 0; i < kAgentStatuses; ++i)
    agents.at(i) = &f.agents.Add({{"town", label}, {"status", std::string(to_string(static_cast<AgentStatus>(i)))}});
  for (std::size_t t = 0; t < kBeadTypes; ++t)
    for (std::size_t s = 0; s < kBeadStatuses; ++s)
      beads.at(t).at(s) = &f.beads.Add({{"town", label},
                                        {"type", std::string(to_string(static_cast<BeadType>(t)))},
                                        {"status", std::string(to_string(static_cast<BeadStatus>(s)))}});
  for (std::size_t i = 0; i < kOutcomes; ++i)
    runs_ended.at(i) =
        &f.runs_ended.Add({{"town", label}, {"outcome", std::string(to_string(static_cast<Outcome>(i)))}});
  for (const ReviewResult result : kReviewResults)
    reviews[to_string(result)] = &f.reviews.Add({{"town", label}, {"result", std::string(to_string(result))}});
  for (const events::TrialOutcome outcome : kTrialOutcomes)
    trials[to_string(outcome)] = &f.trials.Add({{"town", label}, {"outcome", std::string(to_string(outcome))}});
}

prometheus::Counter& TownSeries::action(std::string_view rule, std::size_t type) {
  prometheus::Counter*& counter = actions[rule.data()].at(type);
  if (counter == nullptr) {
    static const auto names = names_of<ActionBody>([](const ActionBody& a) { return action_type(a); },
                                                   std::make_index_sequence<kActionTypes>());
    counter = &families.actions.Add({{"town", label}, {"type", names.at(type)}, {"rule", std::string(rule)}});
  }
  return *counter;
}

std::optional<std::size_t> TownSeries::effect(std::string_view kind) {
  const auto& names = names_of_effects();
  const auto found = std::find(names.begin(), names.end(), kind);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

RigSeries& TownSeries::rig(const std::string& name) {
  const auto known = rigs.find(name);
  if (known != rigs.end()) return known->second;
  const std::string shown = rigs.size() < kRigLabels ? name : "_other";
  return rigs.try_emplace(shown, families, label, shown).first->second;
}

}  // namespace townd
