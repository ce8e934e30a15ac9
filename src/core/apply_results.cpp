#include <algorithm>

#include "core/apply_event.hpp"
#include "core/merge_queue.hpp"

/// What effects and the machine find out (domain.md §6: dispatch, poll, verify_merge).
namespace townd::apply {
namespace {

/// A landing that was given up because nobody answered, and had happened: the commit is on the target, whatever was
/// believed of it. Work on the source that began again is let go, or it would land twice.
bool landed_after_all(Change& change, const BeadId& id, std::string_view commit) {
  const Town& town = change.town();
  const Review* review = town.review(id);
  if (review == nullptr || live(town.bead(id)) || review->result != ReviewResult::failed) return false;
  const Bead* source = town.bead(review->source_bead_id);
  if (!live(source) || source->type == BeadType::convoy) return false;
  change.merged_after_all(id, commit);
  return true;
}

}  // namespace

// ---- runs --------------------------------------------------------------------------------------------------------

Result on(Change& change, const events::ContainerEviction&) { return noted(change, "kept for the record"); }

Result on(Change& change, const events::ContainerStatus& e) {
  Town& town = change.town();
  const Agent* found = town.agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  const Agent agent = *found;
  if (e.run_id && e.run_id != agent.run_id) return noted(change, "the status of an earlier run");
  if (e.status != "exited" && e.status != "failed" && e.status != "not_found") return noted(change, "no evidence");
  const Run* run = agent.run_id ? town.run(agent.run_id) : nullptr;
  if (e.status == "not_found") {
    MaybeInstant sign = agent.last_activity_at;
    if (run && run->last_sign_at) sign = std::max(sign.value_or(Instant{0}), *run->last_sign_at);
    if (sign && change.now() - *sign <= town.constants().not_found_grace)
      return noted(change, "within the grace of a start");
  }
  if (run) {
    const Outcome outcome = e.status == "not_found"          ? Outcome::lost
                            : e.status == "failed"           ? Outcome::crashed
                            : agent.role == AgentRole::mayor ? Outcome::done
                                                             : Outcome::no_done;
    change.end_run(agent.run_id, outcome, e.exit_reason);
  }
  if (agent.status == AgentStatus::idle || agent.status == AgentStatus::dead) return applied();
  change.set_status(e.agent_id, AgentStatus::idle);
  const Bead* hook = town.bead(agent.current_hook_bead_id);
  if (agent.role == AgentRole::refinery && hook && terminal(hook->status)) change.unhook(e.agent_id);
  return applied();
}

Result on(Change& change, const events::DispatchAccepted& e) {
  const Run* found = change.town().run(e.run_id);
  if (!found || found->state != RunState::requested) return applied();
  Run run = *found;
  run.state = RunState::starting;
  change.town().put(std::move(run));
  return applied();
}

Result on(Change& change, const events::DispatchRefused& e) {
  Town& town = change.town();
  const Run* run = town.run(e.run_id);
  if (!run || run->state == RunState::ended) return noted(change, "no such start under way");
  const AgentId agent_id = run->agent_id;
  const BeadId bead_id = run->bead_id;
  if (const Rig* found = town.rig(run->rig_id); found && e.setup_failed) {
    Rig rig = *found;
    rig.broken_reason = e.reason;
    rig.broken_since = change.now();
    rig.setup_failed = true;
    town.put(std::move(rig));
  }
  change.end_run(e.run_id, e.outcome, e.reason, e.limited_until);
  const Agent* agent = town.agent(agent_id);
  if (!agent || agent->run_id != e.run_id) return applied();
  change.set_status(agent_id, AgentStatus::idle);
  const Bead* bead = town.bead(bead_id);
  if (!bead || bead->type != BeadType::issue) return applied();  // a request stays with its refinery: Q6 goes on
  change.unhook(agent_id);
  if (bead->status == BeadStatus::in_progress) {
    change.set_status(bead_id, BeadStatus::open);
    change.clear_assignee(bead_id);
  }
  return applied();
}

Result on(Change& change, const events::AgentStopped& e) {
  Town& town = change.town();
  const Run* run = town.run(e.run_id);
  if (!run || run->state == RunState::ended) return noted(change, "no such run under way");
  change.end_run(e.run_id, Outcome::stopped, run->stop_rule);
  const Agent* agent = town.agent(run->agent_id);
  if (agent && agent->run_id == e.run_id && agent->status == AgentStatus::waiting)
    change.set_status(agent->agent_id, AgentStatus::idle);
  return applied();
}

Result on(Change& change, const events::NodeChanged& e) {
  TownRow row = change.town().row();
  NodeFacts node = e.node;
  for (PresetState& state : node.presets) {  // what runs have told about limits stays until it is over
    for (const PresetState& known : row.node.presets)
      if (known.preset == state.preset && !state.limited_until) state.limited_until = known.limited_until;
  }
  if (node.runtime_reachable != row.node.runtime_reachable)
    node.runtime_since = change.now();
  else
    node.runtime_since = row.node.runtime_since;
  row.node = std::move(node);
  change.town().put(std::move(row));
  return applied();
}

Result on(Change& change, const events::ObservationGap& e) {
  TownRow row = change.town().row();
  row.observed_since = std::max(e.to, row.observed_since.value_or(Instant{0}));
  change.town().put(std::move(row));
  return applied();
}

Result on(Change& change, const events::RigChecked& e) {
  const Rig* found = change.town().rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  Rig rig = *found;
  if (rig.setup_failed && e.broken_reason.empty())
    return noted(change, "its setup failed, which this does not look at");
  if (rig.broken_reason != e.broken_reason) {
    rig.broken_reason = e.broken_reason;
    rig.broken_since = e.broken_reason.empty() ? std::nullopt : MaybeInstant(change.now());
  }
  if (!e.default_branch.empty()) rig.default_branch = e.default_branch;
  change.town().put(std::move(rig));
  return applied();
}

// ---- messages ----------------------------------------------------------------------------------------------------

Result on(Change& change, const events::NudgeDelivered& e) {
  const Nudge* found = change.town().nudge(e.nudge_id);
  if (!found) return noted(change, "no such nudge");
  Nudge nudge = *found;
  if (e.delivered)
    nudge.delivered_at = change.now();
  else
    nudge.expired = true;  // the agent's program takes no messages; prime shows what still matters
  change.town().put(std::move(nudge));
  return applied();
}

Result on(Change& change, const events::MailDelivered& e) {
  const Mail* found = change.town().mail(e.mail_id);
  if (!found) return noted(change, "no such mail");
  if (!e.delivered) return noted(change, "waits for the agent to read it");
  Mail mail = *found;
  mail.delivered_at = change.now();
  change.town().put(std::move(mail));
  return applied();
}

// ---- landing -----------------------------------------------------------------------------------------------------

Result on(Change& change, const events::GitMergeResult& e) {
  if (e.answer == events::LandingAnswer::landed && landed_after_all(change, e.bead_id, e.commit))
    return noted(change, "it had landed after all");
  const Review* review = live_review(change, e.bead_id);
  if (!review) return applied();
  if (!review->verifying_since) return noted(change, "nothing is being verified");
  const bool of_several = !change.town().links(e.bead_id).members.empty();
  if (of_several && e.answer == events::LandingAnswer::landed && e.commit != review->claimed_commit)
    return noted(change, "the landing of an earlier trial");
  switch (e.answer) {
    case events::LandingAnswer::landed: {
      const bool gated = !review->base_commit.empty();  // a claim that no trial has made is not
      for (const BeadId& id : change.break_up(e.bead_id)) change.merged(id, "commit", e.commit);
      if (const Rig* found = change.town().rig(change.town().bead(e.bead_id)->rig_id)) {
        Rig rig = *found;
        target_is_sound(rig.queue, gated ? e.commit : "");
        change.town().put(std::move(rig));
      }
      break;
    }
    case events::LandingAnswer::moved:  // the trial was on an older base: try again, nobody is to blame
      for (const BeadId& id : change.break_up(e.bead_id)) {
        change.back_to_queue(id);
        change.history(id, "landing_moved", "", e.why);
      }
      break;
    case events::LandingAnswer::held: {
      if (of_several && e.alone) {  // for what one of them is: the others need not wait
        change.halve(e.bead_id, "");
        break;
      }
      Review held = *review;
      held.held_why = e.why;
      held.held_alone = held.held_alone || e.alone;  // meanwhile another request may be at its landing
      held.verify_tries = 0;
      const bool alone = held.held_alone;
      change.town().put(std::move(held));
      if (alone) change.call_off_ahead(e.bead_id);
      break;
    }
    case events::LandingAnswer::failed: {
      if (of_several) {
        change.history(e.bead_id, "landing_failed", "", e.why);
        change.halve(e.bead_id, "");
        break;
      }
      const Bead request = *change.town().bead(e.bead_id);
      const BeadId source = review->source_bead_id;
      change.not_merged(e.bead_id, ReviewResult::failed, e.why);
      Escalation escalation;
      escalation.severity = Priority::high;
      escalation.category = "landing_failed";
      escalation.message = e.why;
      escalation.source = source;
      change.escalate(std::move(escalation), request.rig_id, "Landing failed: " + request.title);
      break;
    }
  }
  return applied();
}

}  // namespace townd::apply
