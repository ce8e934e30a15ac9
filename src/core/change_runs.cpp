#include <algorithm>

#include "core/change.hpp"

/// Runs and what their ends mean for attempts, breakers and presets.
namespace townd {

bool ended_well(Outcome outcome) { return outcome == Outcome::done || outcome == Outcome::changes_requested; }

bool counts_for_breakers(Outcome outcome) {
  return outcome == Outcome::crashed || outcome == Outcome::lost || outcome == Outcome::never_started ||
         outcome == Outcome::refused;
}

bool costs_attempt(Outcome outcome) {
  return counts_for_breakers(outcome) || outcome == Outcome::timed_out || outcome == Outcome::no_done;
}

void Change::settle_run(const RunId& id, Outcome outcome) {
  const Run* found = town_.run(id);
  if (!found || found->outcome || found->state == RunState::ended) return;
  Run run = *found;
  run.outcome = outcome;
  run.outcome_at = now_;
  town_.put(std::move(run));
}

void Change::end_run(const RunId& id, Outcome outcome, std::string_view reason, MaybeInstant limited_until) {
  const Run* found = town_.run(id);
  if (!found || found->state == RunState::ended) return;
  Run run = *found;
  if (!run.outcome) {
    run.outcome = run.stop_outcome ? *run.stop_outcome : outcome;
    run.outcome_at = now_;
  }
  run.state = RunState::ended;
  run.ended_at = now_;
  run.exit_reason = reason;
  town_.put(run);
  history(run.bead_id, "agent_exited", "", to_string(*run.outcome), run.agent_id);
  count_attempt(run);
  count_breakers(run);
  count_preset(run, limited_until);
  if (run.kind == RunKind::review && costs_attempt(*run.outcome)) halve(run.bead_id, "");
  if (run.kind == RunKind::work || run.kind == RunKind::review) effect(effects::CollectRun{id}, id.text);
}

void Change::refund(const BeadId& id) {
  const Bead* found = town_.bead(id);
  if (!found || found->dispatch_attempts == 0) return;
  Bead bead = *found;
  --bead.dispatch_attempts;
  town_.put(std::move(bead));
}

void Change::count_attempt(const Run& run) {
  if (ended_well(*run.outcome)) {
    if (const Bead* found = town_.bead(run.bead_id); found && found->dispatch_attempts > 0) {
      Bead bead = *found;
      bead.dispatch_attempts = 0;
      town_.put(std::move(bead));
    }
    return;
  }
  if (!costs_attempt(*run.outcome)) refund(run.bead_id);
}

namespace {

/// Opens, closes or keeps one breaker after a run. True when the run's failure is refunded.
bool turn(Breaker& breaker, const Run& run, Instant now, bool enough_to_open) {
  const bool was_probe = !breaker.probe.empty() && breaker.probe == run.run_id;
  if (was_probe) {
    breaker.probe = {};
    breaker.last_probe_at = now;
  }
  if (ended_well(*run.outcome) && breaker.opened_at && was_probe) {
    breaker = Breaker{};
    breaker.closed_at = now;
    return false;
  }
  if (!counts_for_breakers(*run.outcome)) return false;
  if (breaker.opened_at) return true;
  if (!enough_to_open) return false;
  breaker.opened_at = now;
  breaker.last_probe_at = now;
  breaker.told = false;
  return true;
}

bool town_has_enough_failures(const Town& town, Instant now) {
  const Constants& constants = town.constants();
  const Instant from = std::max(now - constants.breaker_window, town.row().breaker.closed_at.value_or(Instant{0}));
  int failures = 0, successes = 0;
  for (auto it = town.runs_by_end().rbegin(); it != town.runs_by_end().rend() && it->first > from; ++it) {
    const Run& run = *town.run(it->second);
    failures += counts_for_breakers(*run.outcome) ? 1 : 0;
    successes += ended_well(*run.outcome) ? 1 : 0;
  }
  return failures >= constants.breaker_town && failures > successes;
}

}  // namespace

void Change::count_breakers(const Run& run) {
  bool refunded = false;
  if (const Rig* found = town_.rig(run.rig_id)) {
    Breaker breaker = found->breaker;
    if (ended_well(*run.outcome)) breaker.failures_in_a_row = 0;
    if (counts_for_breakers(*run.outcome)) ++breaker.failures_in_a_row;
    refunded |= turn(breaker, run, now_, breaker.failures_in_a_row >= town_.constants().breaker_rig);
    if (breaker != found->breaker) {
      Rig rig = *found;
      rig.breaker = std::move(breaker);
      town_.put(std::move(rig));
    }
  }
  if (run.kind != RunKind::mayor) {
    Breaker breaker = town_.row().breaker;
    refunded |= turn(breaker, run, now_, !breaker.opened_at && town_has_enough_failures(town_, now_));
    if (breaker != town_.row().breaker) {
      TownRow row = town_.row();
      row.breaker = std::move(breaker);
      town_.put(std::move(row));
    }
  }
  if (refunded && costs_attempt(*run.outcome)) refund(run.bead_id);
}

void Change::count_preset(const Run& run, MaybeInstant limited_until) {
  const bool limited = *run.outcome == Outcome::rate_limited;
  if (!limited && *run.outcome != Outcome::not_logged_in) return;
  TownRow row = town_.row();
  auto& presets = row.node.presets;
  auto place = std::lower_bound(presets.begin(), presets.end(), run.preset,
                                [](const PresetState& state, const std::string& name) { return state.preset < name; });
  if (place == presets.end() || place->preset != run.preset) place = presets.insert(place, {run.preset, true, "", {}});
  if (limited) {
    place->limited_until = std::max(place->limited_until.value_or(Instant{0}),
                                    limited_until.value_or(now_ + town_.constants().rate_limited));
  } else {
    place->usable = false;
    place->reason = "not logged in";
  }
  town_.put(std::move(row));
}

}  // namespace townd
