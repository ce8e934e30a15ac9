#include "engine/start_run.hpp"

#include <utility>

namespace townd {
namespace {

Found refused(const RunId& run, const Error& error, Outcome outcome = Outcome::refused, bool setup_failed = false) {
  return {EffectState::failed, error.what, events::DispatchRefused{run, outcome, error.what, {}, setup_failed}, false};
}

/// Work that must be in the rig's repository before the run's clone is made. The source of a trial may still be
/// running, so its own collection has not been ordered yet.
struct Beginnings {
  std::vector<CollectSpec> trial;  ///< one for each request of the trial, in order
  std::optional<CollectSpec> continued;
};

Beginnings beginnings_of(const Town& town, const Assignment& assignment) {
  Beginnings needed;
  for (const TrialRequest& request : assignment.trial) {
    CollectSpec spec{assignment.town_id, assignment.rig, request.source_run_id, request.branch};
    needed.trial.push_back(std::move(spec));
  }
  if (const Run* earlier = town.run(assignment.continue_run_id)) needed.continued = work_of(town, *earlier);
  return needed;
}

/// What is in an agent's clone is not what git writes: that is the work's fault, and no start will go better.
bool spoiled(const Error& error) { return error.code == Error::Code::conflict; }

/// `at` counts the requests that are taken over.
expected<void> fetch(Forge& forge, const Beginnings& needed, Assignment& assignment, std::size_t& at) {
  if (needed.continued) {
    const auto collected = forge.collect(*needed.continued);
    if (!collected && !spoiled(collected.error())) return tl::unexpected(collected.error());
    if (!collected) assignment.continue_run_id = RunId();  // it begins anew
  }
  for (; at < needed.trial.size(); ++at) {
    if (!needed.trial[at].run_id) continue;  // loaded work: its branch is in the repository already
    const auto commit = forge.collect(needed.trial[at]);
    if (!commit) return tl::unexpected(commit.error());
    if (assignment.trial[at].commit.empty()) assignment.trial[at].commit = *commit;
  }
  return {};
}

/// A request whose work cannot be taken over goes back to who made it, as from a gate; nothing was tried.
Found sent_back(const Assignment& trial, std::size_t spoiled, const Error& error) {
  events::TrialResult result;
  result.agent_id = trial.agent.agent_id;
  result.run_id = trial.run_id;
  for (const TrialRequest& request : trial.trial) result.requests.push_back(request.bead_id);
  result.outcome = events::TrialOutcome::red;
  result.gate = "taking the work over";
  result.output = error.what;
  if (trial.trial.size() > 1) {  // the others have nothing to do with it
    result.outcome = events::TrialOutcome::conflict;
    result.conflicts = {{trial.trial[spoiled].bead_id, error.what, true}};
  }
  return {EffectState::failed, error.what, std::move(result), false};
}

Found start(const Hands& hands, AgentSpec spec, const Beginnings& needed, Instant now) {
  const RunId run = spec.assignment.run_id;
  // Work begins where the target is now, not where it was when somebody last looked. A source that cannot be reached is
  // no reason to wait: a landing looks again.
  if (spec.assignment.rig.rig_id)
    static_cast<void>(hands.ports.forge.prepare_rig(spec.assignment.town_id, spec.assignment.rig));
  std::size_t taken_over = 0;
  if (const auto fetched = fetch(hands.ports.forge, needed, spec.assignment, taken_over); !fetched)
    return spoiled(fetched.error()) && taken_over < spec.assignment.trial.size()
               ? sent_back(spec.assignment, taken_over, fetched.error())
               : refused(run, fetched.error());
  auto texts = texts_for(hands.ports.store, spec.assignment);
  if (!texts) return refused(run, texts.error());
  spec.texts = std::move(*texts);
  auto token = hands.tokens->make(spec.assignment.town_id, spec.assignment.agent.agent_id, run, now);
  if (!token) return refused(run, token.error());
  spec.token = std::move(*token);

  const auto started = hands.ports.runtime.start(spec);
  if (started) return {EffectState::done, {}, events::DispatchAccepted{run}, false};
  switch (started.error().code) {
    case Error::Code::unavailable:  // it may be running: a sign of life, a status or A0 will tell
      return {EffectState::unknown, started.error().what, {}, false};
    case Error::Code::forbidden: return refused(run, started.error(), Outcome::not_logged_in);
    case Error::Code::invalid: return refused(run, started.error(), Outcome::refused, true);
    default: return refused(run, started.error());
  }
}

}  // namespace

std::variant<Job, Found> start_run(const Hands& hands, const Town& town, const RunId& id, Instant now) {
  const Run* run = town.run(id);
  if (run == nullptr || run->state == RunState::ended || run->tombstone || run->stop_requested_at)
    return Found{EffectState::failed, "the run is over", {}, false};
  if (run->state == RunState::running) return Found{EffectState::done, "it was seen running", {}, false};
  auto spec = spec_of(town, id, hands.run_limits);
  if (!spec)
    return refused(id, Error{Error::Code::internal, "the run " + id.text + " has no agent or bead any more", {}});
  Beginnings needed = beginnings_of(town, spec->assignment);
  return Job(
      [hands, spec = std::move(*spec), needed = std::move(needed), now] { return start(hands, spec, needed, now); });
}

std::optional<AgentSpec> spec_of(const Town& town, const RunId& run, const Limits& limits) {
  auto assignment = describe(town, run);
  if (!assignment) return std::nullopt;
  return AgentSpec{std::move(*assignment), {}, {}, limits};
}

expected<Texts> texts_for(Store& store, const Assignment& assignment) {
  std::vector<TextRef> named = {assignment.checkpoint};
  if (assignment.bead) named.push_back(assignment.bead->body);
  if (assignment.step) named.push_back(assignment.step->bead.body);
  for (const Bead& question : assignment.triage) named.push_back(question.body);
  for (const Said& said : assignment.thread) named.push_back(said.body);
  Texts texts;
  for (const TextRef& ref : named) {
    if (ref.empty()) continue;
    auto text = store.text(assignment.town_id, ref.hash);
    if (!text) return tl::unexpected(text.error());
    if (*text) texts[ref.hash.hex()] = std::move(**text);
  }
  return texts;
}

}  // namespace townd
