#include "core/explain.hpp"

#include <algorithm>

#include "core/change.hpp"
#include "core/molecule.hpp"
#include "core/rules/common.hpp"

namespace townd {
namespace {

/// What became of the last run, when that was not well; the first line of it.
std::string last_trouble(const Town& town, const Bead& bead) {
  const auto& runs = town.links(bead.bead_id).runs;
  const Run* last = runs.empty() ? nullptr : town.run(runs.back());
  if (!last || !last->outcome || ended_well(*last->outcome)) return {};
  const std::string reason = last->exit_reason.substr(0, last->exit_reason.find('\n'));
  return "; run " + last->run_id.text + " ended as " + std::string(to_string(*last->outcome)) +
         (reason.empty() ? "" : ": " + reason);
}

/// The issue that a step or a molecule belongs to, and how far it is.
std::string whole_of(const Town& town, const Bead& part) {
  const Bead* molecule = part.type == BeadType::molecule ? &part : town.bead(part.parent_bead_id);
  const Bead* whole = molecule ? town.bead(molecule->parent_bead_id) : nullptr;
  if (!whole) return {};
  const auto steps = steps_of(town, molecule->bead_id);
  const auto done =
      std::count_if(steps.begin(), steps.end(), [&](const BeadId& id) { return terminal(town.bead(id)->status); });
  return ": " + std::to_string(done) + " of " + std::to_string(steps.size()) + " steps of " + whole->bead_id.text +
         " (" + std::string(to_string(whole->status)) + ") are done";
}

/// What else is to be said about a reason: which bead, how many, what to do.
std::string detail_of(const Town& town, const Bead* bead, Reason reason) {
  if (!bead) return {};
  if (reason == Reason::blocked) {
    const BeadId blocker = first_blocker(town, bead->bead_id);
    const Bead* row = town.bead(blocker);
    return row ? ": " + blocker.text + " (" + std::string(to_string(row->status)) + ")" : "";
  }
  const Rig* rig = town.rig(bead->rig_id);
  if (reason == Reason::rig_broken && rig && !rig->broken_reason.empty()) return ": " + rig->broken_reason;
  if (reason == Reason::rig_untrusted && rig) return "; look at it with `town rig trust " + rig->name + "`";
  if (reason == Reason::backoff) return last_trouble(town, *bead);
  if (reason == Reason::attempts_spent)
    return ": " + std::to_string(bead->dispatch_attempts) + " of " + std::to_string(attempts_cap(town, bead->rig_id)) +
           last_trouble(town, *bead);
  if (reason == Reason::no_slot) {
    const int busy = town.index(bead->rig_id).busy_polecats;
    return ": " + std::to_string(busy) + " in its rig, " + std::to_string(town.slots_taken()) + " of " +
           std::to_string(town.row().node.slots) + " in the town";
  }
  if (reason == Reason::molecule_step || reason == Reason::steps_open) return whole_of(town, *bead);
  if (reason == Reason::landing_held)
    if (const Review* review = town.review(bead->bead_id); review && !review->held_why.empty())
      return ": " + review->held_why;
  if (reason == Reason::forge_refused)
    if (const Review* refusal = forge_refusal(town, bead->bead_id)) return ". It said: " + refusal->failure_message;
  if (reason == Reason::poll_not_due || reason == Reason::merge_under_way)
    if (const Review* review = town.review(bead->bead_id); review && review->merge_refusals > 0)
      return "; the forge did not merge it: " + review->merge_refused;
  return {};
}

/// Of work whose rig is in order: that the agent program is not; empty when it is. Without a bead: the mayor's.
std::string preset_trouble(const Town& town, const Bead* bead) {
  const Rig* rig = bead ? town.rig(bead->rig_id) : nullptr;
  if (bead && (!rig || !rig->broken_reason.empty())) return {};
  const std::string preset = rig ? preset_for(town, *rig, *bead) : town.config().mayor_preset;
  const PresetState* state = preset_state(town, preset);
  if (!state || state->usable) return {};
  return "the agent program " + preset + " cannot be used" + (state->reason.empty() ? "" : ": " + state->reason);
}

std::string words(const Town& town, const Bead* bead, Reason reason) {
  if (reason == Reason::rig_broken)
    if (std::string trouble = preset_trouble(town, bead); !trouble.empty()) return trouble;
  return std::string(because(reason)) + detail_of(town, bead, reason);
}

std::string what_a_person_can_do(const Town& town, const Bead& bead, const Explanation& explanation) {
  if (bead.status == BeadStatus::failed && bead.type == BeadType::issue && !molecule_step(town, bead))
    return "`town reopen " + bead.bead_id.text + "` gives it a new start";
  if (terminal(bead.status)) return "nothing; it has ended";
  for (const Explained& e : explanation.decisions)
    if (e.kind == Explained::Kind::act) return "the next tick does it";
  if (has_label(bead, "gt:held")) return "`town start " + bead.bead_id.text + "` lets it go";
  if (town.row().paused) return "`town resume` lets the town go on";
  Instant next = kNever;
  for (const Explained& e : explanation.decisions)
    if (e.kind == Explained::Kind::wait) next = std::min(next, e.until);
  return next == kNever ? "it goes on when what it waits for changes" : "it is looked at again by itself";
}

void ask(const Town& town, Stage stage, const SubjectKey& subject, const Bead* bead, Instant now, Explanation& into) {
  for (const Rule& rule : rules_of(stage)) {
    const Decision decision = rule.decide(town, subject, now);
    Explained explained{rule.id, Explained::Kind::act, std::string(rule.line), now, Reason::none};
    if (const auto* wait = std::get_if<Wait>(&decision)) {
      explained = {rule.id, Explained::Kind::wait, words(town, bead, wait->because), wait->until, wait->because};
    } else if (const auto* hold = std::get_if<Hold>(&decision)) {
      if (hold->because == Reason::none) continue;
      explained = {rule.id, Explained::Kind::hold, words(town, bead, hold->because), kNever, hold->because};
    }
    into.decisions.push_back(std::move(explained));
  }
}

void ask_request(const Town& town, const Bead& request, Instant now, Explanation& into) {
  const SubjectKey key(request.bead_id.text);
  for (const AgentId& agent : town.links(request.bead_id).hooked)
    ask(town, Stage::refineries, SubjectKey(agent.text), &request, now, into);
  ask(town, Stage::merge_queue, key, &request, now, into);
  ask(town, Stage::requests, key, &request, now, into);
}

/// Work that was handed in goes the way of its request.
void ask_requests_of(const Town& town, const Bead& source, Instant now, Explanation& into) {
  for (const BeadId& id : town.links(source.bead_id).requests) {
    const Bead& request = *town.bead(id);
    if (terminal(request.status)) continue;
    const std::size_t before = into.decisions.size();
    ask_request(town, request, now, into);
    for (std::size_t i = before; i < into.decisions.size(); ++i)
      into.decisions[i].because = "its request " + id.text + ": " + into.decisions[i].because;
  }
}

Explanation explain_bead(const Town& town, const Bead& bead, Instant now) {
  Explanation explanation{bead.bead_id.text, std::string(to_string(bead.status)), {}, ""};
  const SubjectKey key(bead.bead_id.text);
  if (terminal(bead.status)) {
    ask(town, Stage::gc_beads, key, &bead, now, explanation);
  } else if (bead.type == BeadType::issue) {
    for (const AgentId& agent : town.links(bead.bead_id).hooked)
      ask(town, Stage::hooked_agents, SubjectKey(agent.text), &bead, now, explanation);
    ask(town, Stage::work_queue, key, &bead, now, explanation);
    ask(town, Stage::issues, key, &bead, now, explanation);
    ask_requests_of(town, bead, now, explanation);
    if (has_label(bead, "gt:triage-request")) {
      ask(town, Stage::triage, key, &bead, now, explanation);
      ask(town, Stage::town, SubjectKey(kTownSubject), &bead, now, explanation);
    }
  } else if (bead.type == BeadType::merge_request) {
    ask_request(town, bead, now, explanation);
  } else if (bead.type == BeadType::convoy) {
    ask(town, Stage::convoys, key, &bead, now, explanation);
  } else if (bead.type == BeadType::molecule) {
    ask(town, Stage::molecules, key, &bead, now, explanation);
  } else if (bead.type == BeadType::escalation) {
    ask(town, Stage::escalations, key, &bead, now, explanation);
  }
  explanation.next = what_a_person_can_do(town, bead, explanation);
  return explanation;
}

Explanation explain_agent(const Town& town, const Agent& agent, Instant now) {
  Explanation explanation{agent.agent_id.text, std::string(to_string(agent.status)), {}, ""};
  const Bead* hook = town.bead(agent.current_hook_bead_id);
  for (const Stage stage :
       {Stage::agents, Stage::hooked_agents, Stage::refineries, Stage::gupp, Stage::gc_agents, Stage::mayor})
    ask(town, stage, SubjectKey(agent.agent_id.text), hook, now, explanation);
  explanation.next = hook ? "it holds " + hook->bead_id.text : "it holds nothing";
  return explanation;
}

Explanation explain_rig(const Town& town, const Rig& rig) {
  Explanation explanation{rig.rig_id.text, rig.broken_reason.empty() ? "usable" : "broken", {}, ""};
  const RigIndex& index = town.index(rig.rig_id);
  explanation.next =
      std::to_string(index.ready.size()) + " ready, " + std::to_string(index.queue.size()) + " in the merge queue";
  if (!rig.broken_reason.empty()) explanation.next += "; " + rig.broken_reason;
  if (rig.breaker.opened_at) {
    explanation.status = "its breaker is open";
    explanation.next += "; " + std::to_string(rig.breaker.failures_in_a_row) +
                        " runs failed in a row, so nothing is started but one probe at a time: why they failed shows "
                        "`town log --type dispatch_refused` and `town show` of its beads";
  }
  return explanation;
}

Explanation explain_preset(const PresetState& preset) {
  Explanation explanation{preset.preset, preset.usable ? "usable" : "cannot be used", {}, preset.reason};
  if (preset.limited_until) explanation.next = "its provider takes no more requests for a while";
  return explanation;
}

}  // namespace

Explanation explain(const Town& town, std::string_view id, Instant now) {
  if (const Bead* bead = town.bead(BeadId(id))) return explain_bead(town, *bead, now);
  if (const Agent* agent = town.agent(AgentId(id))) return explain_agent(town, *agent, now);
  if (const Rig* rig = town.rig(RigId(id))) return explain_rig(town, *rig);
  if (const PresetState* preset = preset_state(town, id)) return explain_preset(*preset);
  return {std::string(id), "", {}, ""};
}

}  // namespace townd
