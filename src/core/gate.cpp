#include <algorithm>

#include "core/budget.hpp"
#include "core/molecule.hpp"
#include "core/rules/common.hpp"

/// The one gate that every dispatch passes (domain.md §4), its reasons and their words.
namespace townd {

bool Gate::rig_wide() const {
  switch (reason) {
    case Reason::rig_broken:
    case Reason::rig_untrusted:
    case Reason::breaker_rig:
    case Reason::provider_limited:
    case Reason::no_slot: return true;
    default: return town_wide();
  }
}

bool Gate::town_wide() const {
  switch (reason) {
    case Reason::paused:
    case Reason::draining:
    case Reason::breaker_town:
    case Reason::disk_low:
    case Reason::budget: return true;
    default: return false;
  }
}

Duration backoff(const Constants& constants, int attempts) {
  const auto last = static_cast<int>(constants.backoff.size()) - 1;
  return constants.backoff[static_cast<std::size_t>(std::clamp(attempts - 1, 0, last))];
}

std::string preset_of(const Town& town, const Rig& rig, AgentRole role) {
  if (role == AgentRole::mayor) return town.config().mayor_preset;
  if (role == AgentRole::polecat)
    return rig.config.polecat_preset.empty() ? town.config().polecat_preset : rig.config.polecat_preset;
  if (!code_review(town, rig.rig_id)) return "refine";
  return rig.config.refinery_preset.empty() ? town.config().refinery_preset : rig.config.refinery_preset;
}

std::string preset_for(const Town& town, const Rig& rig, const Bead& bead) {
  if (bead.type != BeadType::merge_request) return preset_of(town, rig, AgentRole::polecat);
  const Review* review = town.review(bead.bead_id);
  return review && review->reviewed ? "refine" : preset_of(town, rig, AgentRole::refinery);
}

const PresetState* preset_state(const Town& town, std::string_view preset) {
  const auto& presets = town.row().node.presets;
  const auto found =
      std::find_if(presets.begin(), presets.end(), [&](const PresetState& s) { return s.preset == preset; });
  return found == presets.end() ? nullptr : &*found;
}

namespace {

Gate shut(Reason reason, Instant until = kNever) { return {reason, until, false}; }

bool unusable(const Town& town, const std::string& preset) {
  const PresetState* state = preset_state(town, preset);
  return state && !state->usable;
}

MaybeInstant limited_until(const Town& town, const std::string& preset, Instant now) {
  const PresetState* state = preset_state(town, preset);
  return state && state->limited_until && *state->limited_until > now ? state->limited_until : std::nullopt;
}

bool bead_run_live(const Town& town, const BeadId& id) {
  const auto& runs = town.links(id).runs;
  return std::any_of(runs.begin(), runs.end(),
                     [&](const RunId& run) { return town.run(run)->state != RunState::ended; });
}

/// Shut, or open for one probe at a time, the next `breaker_probe` after the last.
Gate through(const Breaker& breaker, Reason reason, const Constants& constants, Instant now) {
  if (!breaker.opened_at) return {};
  if (!breaker.probe.empty()) return shut(reason);
  const Instant next = breaker.last_probe_at.value_or(*breaker.opened_at) + constants.breaker_probe;
  if (now < next) return shut(reason, next);
  return {Reason::none, kNever, true};
}

Gate within_budget(const Town& town, Instant now) {
  const auto spent = spent_budgets(town, now);
  return spent.empty() ? Gate{} : shut(Reason::budget, spent.front().free_at);
}

}  // namespace

Gate may_dispatch(const Town& town, const Bead& bead, Instant now) {
  const Constants& constants = town.constants();
  const bool review = bead.type == BeadType::merge_request;
  if (terminal(bead.status)) return shut(Reason::terminal);
  if (molecule_step(town, bead)) return shut(Reason::molecule_step);
  if (bead.rig_id.empty()) return shut(Reason::no_rig);
  const Rig* rig = town.rig(bead.rig_id);
  const std::string preset = rig ? preset_for(town, *rig, bead) : "";
  if (!rig || !rig->broken_reason.empty() || unusable(town, preset)) return shut(Reason::rig_broken);
  if (!rig->untrusted_reason.empty()) return shut(Reason::rig_untrusted);
  if (town.row().paused) return shut(Reason::paused);
  if (draining(town, now)) return shut(Reason::draining, *town.row().draining_since + constants.drain);
  if (held(town, bead)) return shut(Reason::held);
  if (!first_blocker(town, bead.bead_id).empty()) return shut(Reason::blocked);
  if (bead_run_live(town, bead.bead_id)) return shut(Reason::run_live);
  if (bead.dispatch_attempts >= attempts_cap(town, bead.rig_id)) return shut(Reason::attempts_spent);
  if (bead.last_dispatch_attempt_at) {
    const Duration pause = backoff(constants, bead.dispatch_attempts);
    if (now - *bead.last_dispatch_attempt_at <= pause)
      return shut(Reason::backoff, stale_at(*bead.last_dispatch_attempt_at, pause));
  }
  const Gate of_rig = through(rig->breaker, Reason::breaker_rig, constants, now);
  if (!of_rig.open()) return of_rig;
  const Gate of_town = through(town.row().breaker, Reason::breaker_town, constants, now);
  if (!of_town.open()) return of_town;
  if (const MaybeInstant until = limited_until(town, preset, now)) return shut(Reason::provider_limited, *until);
  if (!review) {
    const int most = rig->config.max_polecats.value_or(town.config().max_polecats);
    if (town.index(bead.rig_id).busy_polecats >= most || town.slots_taken() >= town.row().node.slots)
      return shut(Reason::no_slot);
  }
  if (town.row().node.disk_low) return shut(Reason::disk_low);
  if (const Gate budget = within_budget(town, now); !budget.open()) return budget;
  return {Reason::none, kNever, of_rig.probe || of_town.probe};
}

Gate may_dispatch_mayor(const Town& town, const Agent& mayor, Instant now) {
  const Constants& constants = town.constants();
  const std::string& preset = town.config().mayor_preset;
  if (unusable(town, preset)) return shut(Reason::rig_broken);
  if (town.row().paused) return shut(Reason::paused);
  if (draining(town, now)) return shut(Reason::draining, *town.row().draining_since + constants.drain);
  if (run_live(town, mayor)) return shut(Reason::run_live);
  if (mayor.last_dispatch_attempt_at && mayor.dispatch_attempts > 0) {
    const Duration pause = backoff(constants, mayor.dispatch_attempts);
    if (now - *mayor.last_dispatch_attempt_at <= pause)
      return shut(Reason::backoff, stale_at(*mayor.last_dispatch_attempt_at, pause));
  }
  if (const MaybeInstant until = limited_until(town, preset, now)) return shut(Reason::provider_limited, *until);
  return within_budget(town, now);
}

Decision as_decision(const Gate& gate) {
  if (gate.until != kNever) return Wait{gate.until, gate.reason};
  return Hold{gate.reason};
}

}  // namespace townd
