#include <algorithm>

#include "core/apply_event.hpp"
#include "core/assignment.hpp"
#include "core/merge_queue.hpp"

/// What people and programs ask for (domain.md §6: sling, cancel, convoys, drain).
namespace townd::apply {
namespace {

void cancel_issue(Change& change, const BeadId& id, BeadStatus to) {
  change.set_status(id, to);
  change.end_requests(id, ReviewResult::cancelled);
  for (const AgentId& agent : std::vector<AgentId>(change.town().links(id).hooked)) change.let_go(agent);
}

void cancel_request(Change& change, const BeadId& id) {
  const Review* review = change.town().review(id);
  const BeadId source = review ? review->source_bead_id : BeadId{};
  if (review)
    change.fail_request(id, ReviewResult::cancelled, "cancelled", "", "cancelled by a person");
  else
    change.set_status(id, BeadStatus::failed);
  change.release_refinery(id);
  const Bead* bead = change.town().bead(source);
  if (!bead || bead->type != BeadType::issue || terminal(bead->status)) return;
  change.hold(source);
  change.set_status(source, BeadStatus::open);
  change.clear_assignee(source);
}

/// The convoy first: data may track in a circle.
void cancel_convoy(Change& change, const BeadId& id, BeadStatus to) {
  change.set_status(id, to);
  for (const BeadId& child : std::vector<BeadId>(change.town().links(id).tracked_by)) {
    const Bead* bead = change.town().bead(child);
    if (bead && !terminal(bead->status)) cancel(change, child, to);
  }
}

std::vector<BeadId> make_edges(Change& change, const BeadId& bead, const std::vector<BeadId>& after) {
  for (const BeadId& blocker : after) change.town().put(Dependency{bead, blocker, DependencyKind::blocks});
  return after;
}

void track(Change& change, const BeadId& bead, const BeadId& convoy_id) {
  Town& town = change.town();
  const Dependency edge{bead, convoy_id, DependencyKind::tracks};
  const Convoy* convoy = town.convoy(convoy_id);
  if (!convoy || town.has(edge)) return;
  town.put(edge);
  Convoy more = *convoy;
  ++more.total_beads;
  town.put(std::move(more));
}

/// Requests that the forge refused may be made anew: something about their rig has changed (R4).
void allow_refused(Change& change, const BeadId& source) {
  for (const BeadId& id : std::vector<BeadId>(change.town().links(source).requests)) {
    const Review* review = change.town().review(id);
    const bool refused =
        review && (review->failure_reason == "pr_poll_failed" || review->failure_reason == "pr_publish_failed");
    if (!refused || review->retry_refused) continue;
    Review again = *review;
    again.retry_refused = true;
    change.town().put(std::move(again));
  }
}

void allow_all_refused(Change& change, const RigId& rig) {
  for (const SubjectKey& key : change.town().all_subjects(Stage::issues)) {
    const Bead* bead = change.town().bead(BeadId(key.text));
    if (bead->status == BeadStatus::in_review && (rig.empty() || bead->rig_id == rig))
      allow_refused(change, bead->bead_id);
  }
}

}  // namespace

void cancel(Change& change, const BeadId& id, BeadStatus to) {
  const Bead* bead = change.town().bead(id);
  if (!bead) return;
  if (terminal(bead->status)) {
    for (const AgentId& agent : std::vector<AgentId>(change.town().links(id).hooked)) change.let_go(agent);
    return;
  }
  switch (bead->type) {
    case BeadType::issue: return cancel_issue(change, id, to);
    case BeadType::merge_request: return cancel_request(change, id);
    case BeadType::convoy: return cancel_convoy(change, id, to);
    case BeadType::escalation:
    case BeadType::message:
    case BeadType::molecule: change.set_status(id, to);
  }
}

// ---- beads -------------------------------------------------------------------------------------------------------

namespace {

/// A bead as whoever asks for it names it.
template <class Asked>
Bead asked_for(const Asked& e) {
  Bead bead;
  bead.bead_id = e.bead_id;
  bead.title = e.title;
  bead.rig_id = e.rig_id;
  bead.priority = e.priority;
  bead.created_by = e.created_by;
  return bead;
}

}  // namespace

Result on(Change& change, const events::BeadCreated& e) {
  Bead bead = asked_for(e);
  bead.type = e.type;
  bead.labels = e.labels;
  bead.metadata = e.metadata;
  bead.parent_bead_id = e.parent_bead_id;
  if (e.held && !has_label(bead, "gt:held")) bead.labels.emplace_back("gt:held");
  if (bead.bead_id && change.town().bead(bead.bead_id)) return noted(change, "made before");
  const BeadId id = change.create(std::move(bead), e.body);
  make_edges(change, id, e.after);
  if (e.convoy_id) track(change, id, e.convoy_id);
  return applied();
}

/// As if an agent had handed it in.
Result on(Change& change, const events::BranchAdopted& e) {
  const BeadId id = change.create(asked_for(e), e.body);
  events::AgentDone done;
  done.branch = e.branch;
  done.commit = e.commit;
  done.pr_url = e.pr_url;
  change.submit(id, Agent{}, done);
  change.set_status(id, BeadStatus::in_review);
  return applied();
}

Result on(Change& change, const events::BeadUpdated& e) {
  Town& town = change.town();
  const Bead* found = town.bead(e.bead_id);
  if (!found) return noted(change, "no such bead");
  Bead bead = *found;
  std::string changed;
  const auto set = [&changed](auto& field, const auto& value, std::string_view name) {
    if (!value || field == *value) return;
    field = *value;
    if (!changed.empty()) changed += ',';
    changed += name;
  };
  set(bead.title, e.title, "title");
  set(bead.priority, e.priority, "priority");
  set(bead.labels, e.labels, "labels");
  set(bead.metadata, e.metadata, "metadata");
  if (e.body) bead.body = change.text(*e.body), changed += changed.empty() ? "body" : ",body";
  if (changed.empty()) return applied();
  bead.updated_at = change.now();
  const Priority priority = bead.priority;
  town.put(std::move(bead));
  for (const BeadId& id : std::vector<BeadId>(town.links(e.bead_id).requests)) {  // a request has its source's priority
    Bead request = *town.bead(id);
    if (terminal(request.status) || request.priority == priority) continue;
    request.priority = priority;
    town.put(std::move(request));
  }
  change.history(e.bead_id, "fields_updated", "", changed);
  return applied();
}

Result on(Change& change, const events::BeadStatusSet& e) {
  const Bead* bead = change.town().bead(e.bead_id);
  if (!bead) return noted(change, "no such bead");
  if (terminal(e.status))
    cancel(change, e.bead_id, e.status);
  else if (!change.set_status(e.bead_id, e.status))
    return noted(change, "no such change of status");
  return applied();
}

Result on(Change& change, const events::BeadCancelled& e) {
  if (!change.town().bead(e.bead_id)) return noted(change, "no such bead");
  cancel(change, e.bead_id, e.cancel_status == "closed" ? BeadStatus::closed : BeadStatus::failed);
  return applied();
}

Result on(Change& change, const events::BeadReopened& e) {
  if (!change.town().bead(e.bead_id)) return noted(change, "no such bead");
  if (!change.set_status(e.bead_id, BeadStatus::open, true))
    return noted(change, "only a failed issue or convoy reopens");
  return applied();
}

Result on(Change& change, const events::BeadRetried& e) {
  Town& town = change.town();
  const Bead* found = town.bead(e.bead_id);
  if (!found) return noted(change, "no such bead");
  Bead bead = *found;
  bead.dispatch_attempts = 0;
  bead.last_dispatch_attempt_at.reset();
  bead.updated_at = change.now();
  town.put(std::move(bead));
  allow_refused(change, e.bead_id);
  if (const Review* review = town.review(e.bead_id)) {
    Review again = *review;
    again.told_waiting = false;
    town.put(std::move(again));
  }
  if (town.convoy(e.bead_id)) {  // ends C4a's suppression: the failed landing requests no longer wait for approval
    for (const BeadId& id : std::vector<BeadId>(town.links(e.bead_id).requests)) {
      Review landing = *town.review(id);
      if (!landing.awaiting_approval) continue;
      landing.awaiting_approval = false;
      town.put(std::move(landing));
    }
  }
  return applied();
}

Result on(Change& change, const events::DependencyAdded& e) {
  if (e.dependency.kind == DependencyKind::tracks && change.town().convoy(e.dependency.depends_on_bead_id))
    track(change, e.dependency.bead_id, e.dependency.depends_on_bead_id);
  else
    change.town().put(e.dependency);
  return applied();
}

Result on(Change& change, const events::DependencyRemoved& e) {
  change.town().erase(e.dependency);
  return applied();
}

// ---- convoys -----------------------------------------------------------------------------------------------------

Result on(Change& change, const events::ConvoyCreated& e) {
  Town& town = change.town();
  Bead bead;
  bead.bead_id = BeadId(town.make_id());
  bead.type = BeadType::convoy;
  bead.title = e.title;
  bead.labels = {"gt:convoy"};
  bead.created_by = e.created_by;
  Convoy convoy;
  convoy.bead_id = bead.bead_id;
  convoy.merge_mode = e.merge_mode.value_or(town.config().convoy_merge_mode);
  convoy.staged = e.staged.value_or(town.config().staged_convoys_default);
  convoy.on_failed_child = e.on_failed_child;
  convoy.feature_branch = "convoy/" + slug(e.title) + "/" + bead.bead_id.text + "/head";
  const BeadId id = bead.bead_id;
  const bool own_branch = convoy.merge_mode == MergeMode::review_then_land;
  town.put(std::move(convoy));
  change.create(std::move(bead));
  std::vector<BeadId> made;
  for (const events::ConvoyBead& wanted : e.beads) {
    Bead child;
    child.title = wanted.title;
    child.rig_id = wanted.rig_id;
    child.priority = wanted.priority;
    child.labels = wanted.labels;
    child.metadata = wanted.metadata;
    child.created_by = e.created_by;
    // Made held by its edge before anything can look at it: all of this is one event.
    made.push_back(change.create(std::move(child), wanted.body));
    track(change, made.back(), id);
  }
  for (std::size_t i = 0; i < e.beads.size(); ++i)
    for (const int place : e.beads[i].after)
      if (place >= 0 && static_cast<std::size_t>(place) < made.size() && static_cast<std::size_t>(place) != i)
        town.put(Dependency{made[i], made[static_cast<std::size_t>(place)], DependencyKind::blocks});
  for (const BeadId& existing : e.existing_beads) track(change, existing, id);
  if (own_branch) change.effect(effects::PrepareConvoy{id}, id.text);
  return applied();
}

Result on(Change& change, const events::ConvoyStarted& e) {
  const Convoy* found = change.town().convoy(e.convoy_id);
  if (!found) return noted(change, "no such convoy");
  Convoy convoy = *found;
  convoy.staged = false;
  change.town().put(std::move(convoy));
  change.history(e.convoy_id, "convoy_started", "", "");
  return applied();
}

Result on(Change& change, const events::ConvoyClosed& e) {
  const Convoy* found = change.town().convoy(e.convoy_id);
  if (!found) return noted(change, "no such convoy");
  const Bead* bead = change.town().bead(e.convoy_id);
  if (!bead || terminal(bead->status)) return noted(change, "the convoy has ended");
  cancel(change, e.convoy_id, BeadStatus::closed);
  return applied();
}

Result on(Change& change, const events::ConvoyBeadAdded& e) {
  if (!change.town().convoy(e.convoy_id) || !change.town().bead(e.bead_id))
    return noted(change, "no such convoy or bead");
  make_edges(change, e.bead_id, e.after);
  track(change, e.bead_id, e.convoy_id);
  return applied();
}

Result on(Change& change, const events::ConvoyBeadRemoved& e) {
  Town& town = change.town();
  const Dependency edge{e.bead_id, e.convoy_id, DependencyKind::tracks};
  if (!town.has(edge) || !town.convoy(e.convoy_id)) return noted(change, "not in this convoy");
  town.erase(edge);
  for (const BeadId& sibling : std::vector<BeadId>(town.links(e.convoy_id).tracked_by)) {
    town.erase(Dependency{e.bead_id, sibling, DependencyKind::blocks});
    town.erase(Dependency{sibling, e.bead_id, DependencyKind::blocks});
  }
  Convoy convoy = *town.convoy(e.convoy_id);
  convoy.total_beads = std::max(0, convoy.total_beads - 1);
  convoy.closed_beads = std::min(convoy.closed_beads, convoy.total_beads);
  town.put(std::move(convoy));
  return applied();
}

// ---- agents, reviews, people -------------------------------------------------------------------------------------

Result on(Change& change, const events::AgentReset& e) {
  Town& town = change.town();
  const Agent* found = town.agent(e.agent_id);
  if (!found) return noted(change, "no such agent");
  const BeadId hook = found->current_hook_bead_id;
  change.let_go(e.agent_id);
  Agent agent = *town.agent(e.agent_id);
  agent.dispatch_attempts = 0;
  agent.last_dispatch_attempt_at.reset();
  town.put(std::move(agent));
  const Bead* bead = town.bead(hook);
  if (!bead || terminal(bead->status)) return applied();
  change.set_status(hook, BeadStatus::open);
  if (bead->type == BeadType::issue) change.clear_assignee(hook);
  Bead fresh = *town.bead(hook);
  fresh.dispatch_attempts = 0;
  fresh.last_dispatch_attempt_at.reset();
  town.put(std::move(fresh));
  return applied();
}

Result on(Change& change, const events::ReviewCompleted& e) {
  const Bead* bead = change.town().bead(e.entry);
  if (!bead || !change.town().review(e.entry)) return noted(change, "no such request");
  if (terminal(bead->status)) return noted(change, "the request has ended");
  if (e.status == "merged")
    change.merged(e.entry, e.actor.empty() ? "complete_review" : e.actor, e.commit_sha);
  else if (e.status == "conflict")
    change.not_merged(e.entry, ReviewResult::conflict, e.message);
  else
    change.not_merged(e.entry, ReviewResult::failed, e.message);
  return applied();
}

Result on(Change& change, const events::MailSent& e) {
  change.mail(e.from_agent_id, e.to_agent_id, e.rig_id, e.subject, e.body);
  return applied();
}

Result on(Change& change, const events::MailRead& e) {
  Town& town = change.town();
  for (const MessageId& id :
       std::vector<MessageId>(town.undelivered(e.agent_id).begin(), town.undelivered(e.agent_id).end())) {
    if (id > e.last) break;
    if (const Mail* found = town.mail(id)) {
      Mail mail = *found;
      mail.delivered_at = change.now();
      town.put(std::move(mail));
    } else if (const Nudge* nudged = town.nudge(id)) {
      Nudge nudge = *nudged;
      nudge.delivered_at = change.now();
      town.put(std::move(nudge));
    }
  }
  return applied();
}

Result on(Change& change, const events::NudgeQueued& e) {
  Nudge nudge;
  nudge.nudge_id = MessageId(change.town().make_id());
  nudge.agent_id = e.agent_id;
  nudge.message = e.message;
  nudge.mode = e.mode;
  nudge.urgent = e.urgent;
  nudge.source = e.source.empty() ? "system" : e.source;
  nudge.created_at = change.now();
  if (e.ttl) nudge.expires_at = change.now() + *e.ttl;
  change.out().created.push_back(nudge.nudge_id.text);
  change.town().put(std::move(nudge));
  return applied();
}

Result on(Change& change, const events::NudgeTimeout&) { return noted(change, "kept for the record"); }

Result on(Change& change, const events::EscalationAcknowledged& e) {
  Town& town = change.town();
  const Bead* found = town.bead(e.bead_id);
  const auto* detail = found && found->detail ? std::get_if<Escalation>(found->detail.get()) : nullptr;
  if (!detail) return noted(change, "no such escalation");
  Escalation escalation = *detail;
  escalation.acknowledged = true;
  escalation.acknowledged_at = change.now();
  Bead bead = *found;
  bead.detail = std::make_shared<const BeadDetail>(std::move(escalation));
  town.put(std::move(bead));
  change.set_status(e.bead_id, BeadStatus::closed);
  return applied();
}

Result on(Change& change, const events::TriageResolved& e) {
  Town& town = change.town();
  const Bead* found = town.bead(e.bead_id);
  const auto* detail = found && found->detail ? std::get_if<TriageRequest>(found->detail.get()) : nullptr;
  if (!detail || terminal(found->status)) return noted(change, "no open question");
  TriageRequest triage = *detail;
  triage.resolution_action = e.action;
  triage.resolution_notes = e.notes;
  triage.resolved_by = e.agent_id.empty() ? "person" : e.agent_id.text;
  const AgentId agent = triage.agent;
  const BeadId target = triage.bead;
  Bead bead = *found;
  const RigId rig = bead.rig_id;
  bead.detail = std::make_shared<const BeadDetail>(std::move(triage));
  town.put(std::move(bead));
  change.set_status(e.bead_id, BeadStatus::closed);
  const Agent* about = town.agent(agent);
  const bool still_there = about && !target.empty() && about->current_hook_bead_id == target;
  if (e.action == "CLOSE_BEAD" || e.action == "CLOSE") {
    cancel(change, target, BeadStatus::failed);
  } else if ((e.action == "RESTART" || e.action == "RESTART_WITH_BACKOFF" || e.action == "REASSIGN_BEAD") &&
             still_there) {
    change.let_go(agent);  // A8 ends its run, then the bead is dispatched again through the gate
    change.set_status(target, BeadStatus::open);
    change.clear_assignee(target);
  } else if (e.action == "ESCALATE" || e.action == "ESCALATE_TO_MAYOR") {
    for (const AgentId& mayor : town.mayors()) change.mail(e.agent_id, mayor, rig, "Triage: escalated", e.notes);
  } else if (e.action == "NUDGE" || e.action == "PROVIDE_GUIDANCE") {
    return on(change, events::NudgeQueued{agent, e.notes, NudgeMode::immediate, true, "triage", {}});
  }
  if (target) change.history(target, "triage_resolved", "", e.action, e.agent_id);
  return applied();
}

// ---- rigs and the town -------------------------------------------------------------------------------------------

Result on(Change& change, const events::RigAdded& e) {
  Rig rig = e.rig;
  if (rig.rig_id.empty()) rig.rig_id = RigId(change.town().make_id());
  rig.created_at = change.now();
  const RigId id = rig.rig_id;
  change.out().created.push_back(id.text);
  change.town().put(std::move(rig));
  change.effect(effects::PrepareRig{id}, id.text);
  return applied();
}

Result on(Change& change, const events::RigChanged& e) {
  const Rig* found = change.town().rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  Rig rig = *found;
  rig.config = e.config;
  rig.setup_failed = false;
  if (!e.name.empty()) rig.name = e.name;
  if (!e.git_url.empty()) rig.git_url = e.git_url;
  if (!e.default_branch.empty()) rig.default_branch = e.default_branch;
  change.town().put(rig);
  // What a person has changed may be what was wrong; and gates that are gone say nothing of those that are there.
  resume(rig.queue, change.now());
  std::erase_if(rig.queue.gates, [&](const GateRecord& gate) {
    return std::count(rig.config.gates.begin(), rig.config.gates.end(), gate.gate) == 0;
  });
  rig.queue.sound_commit.clear();
  change.town().put(std::move(rig));
  allow_all_refused(change, e.rig_id);
  change.effect(effects::PrepareRig{e.rig_id}, e.rig_id.text);
  return applied();
}

Result on(Change& change, const events::QueueResumed& e) {
  const Rig* found = change.town().rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  Rig rig = *found;
  resume(rig.queue, change.now());
  change.town().put(std::move(rig));
  return applied();
}

Result on(Change& change, const events::RigTrust& e) {
  const Rig* found = change.town().rig(e.rig_id);
  if (!found) return noted(change, "no such rig");
  Rig rig = *found;
  rig.untrusted_reason = e.untrusted_reason;
  change.town().put(std::move(rig));
  return applied();
}

Result on(Change& change, const events::ConfigChanged& e) {
  TownRow row = change.town().row();
  const int version = row.config.version + 1;
  row.config = e.config;
  row.config.version = version;
  change.town().put(std::move(row));
  allow_all_refused(change, RigId{});
  return applied();
}

namespace {

template <class Edit>
Result edit_town(Change& change, Edit edit) {
  TownRow row = change.town().row();
  edit(row);
  change.town().put(std::move(row));
  return applied();
}

}  // namespace

Result on(Change& change, const events::DrainStarted&) {
  return edit_town(change, [&](TownRow& row) {
    if (!row.draining_since) row.draining_since = change.now();
  });
}

Result on(Change& change, const events::DrainEnded&) {
  return edit_town(change, [&](TownRow& row) {
    row.draining_since.reset();
    row.observed_since = change.now();  // nobody's silence while draining is held against him
  });
}

Result on(Change& change, const events::TownPaused& e) {
  return edit_town(change, [&](TownRow& row) { row.paused = true, row.paused_reason = e.reason; });
}

Result on(Change& change, const events::TownResumed&) {
  return edit_town(change, [](TownRow& row) { row.paused = false, row.paused_reason.clear(); });
}

}  // namespace townd::apply
