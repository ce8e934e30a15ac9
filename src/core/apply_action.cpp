#include "core/apply_action.hpp"

#include <algorithm>

#include "core/assignment.hpp"
#include "core/budget.hpp"
#include "core/rules/common.hpp"

namespace townd {
namespace {

using namespace actions;

Applied stale_because(std::string why) { return {false, std::move(why), {}}; }

/// Applies one kind of action each; every `on` checks first that what its rule saw still holds.
class Applier {
 public:
  Applier(Change& change, UsedUp& used) : change_(change), town_(change.town()), used_(used) {}

  Applied on(const TransitionBead& a) {
    const Bead* bead = town_.bead(a.bead_id);
    if (!bead || bead->status != a.from)
      return stale_because("the bead is no longer " + std::string(to_string(a.from)));
    if (!change_.set_status(a.bead_id, a.to)) return stale_because("no such change of status");
    used_.beads.insert(a.bead_id);
    if (Review* review = ended_review(a); review) settle(*review, a);
    return {};
  }

  Applied on(const ClearBeadAssignee& a) {
    if (!town_.bead(a.bead_id)) return stale_because("no such bead");
    for (const AgentId& agent : town_.links(a.bead_id).hooked) used_.agents.insert(agent);
    change_.clear_assignee(a.bead_id);
    used_.beads.insert(a.bead_id);
    return {};
  }

  Applied on(const CreateMrBead& a) {
    const Bead* source = town_.bead(a.source_bead_id);
    const Review* last = town_.review(a.request_id);
    if (!source || !last || terminal(source->status)) return stale_because("the source has ended");
    if (town_.links(a.source_bead_id).live_requests > 0) return stale_because("there is a live request");
    Review review;
    review.branch = a.branch;
    review.target_branch = a.target_branch;
    review.commit = last->commit;
    review.source_bead_id = a.source_bead_id;
    review.source_agent_id = a.agent_id;
    review.source_run_id = last->source_run_id;
    review.pr_url = a.pr_url;
    review.strategy = last->strategy;
    review.published_commit = last->published_commit;
    review.published_at = last->published_at;
    review.answered = last->answered;
    // What was approved of is what is there: nobody reviews it again.
    const bool approved =
        last->published_at && last->verdict == Verdict::approved && last->commit == last->published_commit;
    if (approved) review.verdict = Verdict::approved;
    const BeadId again =
        change_.create_request(std::move(review), a.rig_id, Priority::medium, "Review: " + a.branch, "", kSystemActor);
    if (approved) change_.set_status(again, BeadStatus::in_progress);
    used_.beads.insert(a.source_bead_id);
    return {};
  }

  Applied on(const CreateLandingMr& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    const Bead* bead = town_.bead(a.convoy_id);
    if (!found || !bead || terminal(bead->status)) return stale_because("the convoy has ended");
    Convoy convoy = *found;
    auto landing = std::find_if(convoy.landings.begin(), convoy.landings.end(),
                                [&](const LandingAttempts& l) { return l.rig_id == a.rig_id; });
    if (landing == convoy.landings.end()) {
      convoy.landings.push_back({a.rig_id, 0, {}, 0});
      std::sort(convoy.landings.begin(), convoy.landings.end(),
                [](const auto& x, const auto& y) { return x.rig_id < y.rig_id; });
      landing = std::find_if(convoy.landings.begin(), convoy.landings.end(),
                             [&](const LandingAttempts& l) { return l.rig_id == a.rig_id; });
    }
    ++landing->attempts;
    landing->last_attempt_at = change_.now();
    const Priority priority = bead->priority;
    town_.put(std::move(convoy));
    const Rig* rig = town_.rig(a.rig_id);
    Review review;
    review.branch = a.feature_branch;
    review.target_branch = a.target_branch;
    review.source_bead_id = a.convoy_id;
    if (rig) review.strategy = strategy_of(town_, *rig);
    const BeadId id = change_.create_request(std::move(review), a.rig_id, Priority::medium,
                                             "Review: " + a.feature_branch, "", kSystemActor);
    Bead request = *town_.bead(id);
    request.priority = priority;
    town_.put(std::move(request));
    return {};
  }

  Applied on(const TransitionAgent& a) {
    const Agent* agent = town_.agent(a.agent_id);
    if (!agent || agent->status != a.from)
      return stale_because("the agent is no longer " + std::string(to_string(a.from)));
    if (!change_.set_status(a.agent_id, a.to)) return stale_because("no such change of status");
    used_.agents.insert(a.agent_id);
    return {};
  }

  Applied on(const HookAgent& a) {
    const Agent* agent = town_.agent(a.agent_id);
    const Bead* bead = town_.bead(a.bead_id);
    if (!agent || !bead || terminal(bead->status)) return stale_because("the agent or bead is gone");
    if (!free_agent(town_, *agent)) return stale_because("the agent is no longer free");
    change_.hook(a.agent_id, a.bead_id);
    return {};
  }

  Applied on(const UnhookAgent& a) {
    const Agent* agent = town_.agent(a.agent_id);
    if (!agent || agent->current_hook_bead_id != a.from) return stale_because("the hook is another");
    change_.unhook(a.agent_id);
    used_.agents.insert(a.agent_id);
    return {};
  }

  Applied on(const ClearAgentCheckpoint& a) {
    const Agent* found = town_.agent(a.agent_id);
    if (!found) return stale_because("no such agent");
    Agent agent = *found;
    agent.checkpoint = {};
    town_.put(std::move(agent));
    return {};
  }

  Applied on(const ResetAgentDispatchAttempts& a) {
    const Agent* found = town_.agent(a.agent_id);
    if (!found) return stale_because("no such agent");
    Agent agent = *found;
    agent.dispatch_attempts = 0;
    town_.put(std::move(agent));
    return {};
  }

  Applied on(const DeleteAgent& a) {
    const Agent* agent = town_.agent(a.agent_id);
    if (!agent || !agent->current_hook_bead_id.empty() || run_live(town_, *agent))
      return stale_because("the agent is in use");
    change_.remove(a.agent_id);
    used_.agents.insert(a.agent_id);
    return {};
  }

  Applied on(const ArchiveBead& a) {
    const Bead* bead = town_.bead(a.bead_id);
    if (!bead || !terminal(bead->status)) return stale_because("the bead is live");
    town_.erase(a.bead_id);
    used_.beads.insert(a.bead_id);
    return {};
  }

  Applied on(const UpdateConvoyProgress& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    if (!found) return stale_because("no such convoy");
    Convoy convoy = *found;
    convoy.closed_beads = a.closed_beads;
    convoy.total_beads = std::max(convoy.total_beads, a.closed_beads);
    town_.put(std::move(convoy));
    return {};
  }

  Applied on(const SetConvoyReadyToLand& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    if (!found || found->ready_to_land == a.ready) return stale_because("already so");
    Convoy convoy = *found;
    convoy.ready_to_land = a.ready;
    town_.put(std::move(convoy));
    return {};
  }

  Applied on(const CloseConvoy& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    if (!found || !change_.set_status(a.convoy_id, BeadStatus::closed)) return stale_because("the convoy has ended");
    Convoy convoy = *found;
    convoy.landed_at = change_.now();
    town_.put(std::move(convoy));
    used_.beads.insert(a.convoy_id);
    return {};
  }

  Applied on(const FailConvoy& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    if (!found || !change_.set_status(a.convoy_id, BeadStatus::failed)) return stale_because("the convoy has ended");
    Convoy convoy = *found;
    convoy.failure_reason = a.reason;
    convoy.failure_message = a.message;
    town_.put(std::move(convoy));
    change_.end_requests(a.convoy_id, ReviewResult::superseded);
    used_.beads.insert(a.convoy_id);
    change_.effect(effects::Alert{"convoy_failed", a.convoy_id, a.message}, a.convoy_id.text);
    return {};
  }

  Applied on(const DispatchAgent& a) {
    if (a.kind == RunKind::mayor) return dispatch_mayor(a);
    const Bead* bead = town_.bead(a.bead_id);
    const Rig* rig = town_.rig(a.rig_id);
    if (!bead || terminal(bead->status)) return stale_because("the bead has ended");
    if (!rig) return stale_because("no such rig");
    AgentId agent_id = a.agent_id;
    if (agent_id.empty()) {
      agent_id = choose(a);
    } else if (const Agent* agent = town_.agent(agent_id); !agent || agent->status != AgentStatus::idle ||
                                                           run_live(town_, *agent) ||
                                                           agent->current_hook_bead_id != a.bead_id) {
      return stale_because("the agent is no longer idle with this bead");
    }
    for (const BeadId& id : a.batch) {
      const Review* found = town_.review(id);
      if (!found) return stale_because("no such request");
      Review member = *found;
      member.batch_head = a.bead_id;
      town_.put(std::move(member));
      used_.beads.insert(id);
    }
    change_.hook(agent_id, a.bead_id);
    if (bead->status == BeadStatus::open) change_.set_status(a.bead_id, BeadStatus::in_progress);
    start_run(a, agent_id, preset_for(town_, *rig, *town_.bead(a.bead_id)));
    if (a.ahead_of) change_.try_ahead(a.rig_id, a.bead_id, a.ahead_of);
    Bead counted = *town_.bead(a.bead_id);
    ++counted.dispatch_attempts;
    counted.last_dispatch_attempt_at = change_.now();
    counted.attempts_cap = attempts_cap(town_, a.rig_id);
    counted.updated_at = change_.now();
    town_.put(std::move(counted));
    used_.beads.insert(a.bead_id);
    used_.agents.insert(agent_id);
    return {true, "", agent_id};
  }

  Applied on(const StopAgent& a) {
    if (!town_.agent(a.agent_id)) return stale_because("no such agent");
    if (a.run_id.empty()) {
      change_.effect(effects::StopAgent{a.agent_id, a.run_id}, a.agent_id.text);
      return {};
    }
    const Run* found = town_.run(a.run_id);
    if (!found || found->state == RunState::ended) return stale_because("the run has ended");
    Run run = *found;
    run.tombstone = true;
    if (!a.give_up) {
      if (run.stop_requested_at) return stale_because("the stop is under way");
      run.stop_requested_at = change_.now();
      run.stop_outcome = a.outcome;
      run.stop_rule = a.reason;
      run.forced_stop = run.forced_stop || a.outcome == Outcome::timed_out;
    }
    town_.put(std::move(run));
    if (a.give_up)
      change_.end_run(a.run_id, a.outcome, a.reason);
    else
      change_.effect(effects::StopAgent{a.agent_id, a.run_id}, a.run_id.text);
    used_.agents.insert(a.agent_id);
    return {};
  }

  Applied on(const PollPr& a) {
    const Review* found = town_.review(a.bead_id);
    if (!found) return stale_because("no such request");
    Review review = *found;
    review.last_poll_at = change_.now();
    town_.put(std::move(review));
    stamp(a.bead_id);
    change_.effect(effects::PollPr{a.bead_id}, a.bead_id.text);
    return {};
  }

  Applied on(const MergePr& a) {
    const Review* found = town_.review(a.bead_id);
    if (!found || !found->auto_merge_pending) return stale_because("no merge is wanted");
    Review review = *found;
    review.merge_requested_at = change_.now();
    town_.put(std::move(review));
    stamp(a.bead_id);
    change_.effect(effects::MergePr{a.bead_id}, a.bead_id.text);
    return {};
  }

  Applied on(const PublishPr& a) {
    const Review* found = town_.review(a.bead_id);
    if (!found || !unpublished(*found)) return stale_because("it is on the forge as it was handed in");
    Review review = *found;
    review.publish_asked_at = change_.now();
    town_.put(std::move(review));
    change_.effect(effects::PublishPr{a.bead_id}, a.bead_id.text);
    return {};
  }

  Applied on(const VerifyMerge& a) {
    const Review* found = town_.review(a.bead_id);
    if (!found || !found->verifying_since) return stale_because("nothing is being verified");
    if (a.give_up) return give_up_landing(a.bead_id);
    Review review = *found;
    review.last_verify_at = change_.now();
    ++review.verify_tries;
    town_.put(std::move(review));
    stamp(a.bead_id);
    change_.effect(effects::Land{a.bead_id}, a.bead_id.text);
    return {};
  }

  Applied on(const SendNudge& a) {
    if (!town_.agent(a.agent_id)) return stale_because("no such agent");
    Nudge nudge;
    nudge.nudge_id = MessageId(town_.make_id());
    nudge.agent_id = a.agent_id;
    nudge.message = a.message;
    nudge.mode = NudgeMode::immediate;
    nudge.urgent = true;
    nudge.source = "reconciler:" + a.tier;
    nudge.created_at = change_.now();
    town_.put(std::move(nudge));
    return {};
  }

  Applied on(const DeliverNudge& a) {
    const Nudge* found = town_.nudge(a.nudge_id);
    if (!found || found->delivered_at) return stale_because("no such nudge");
    Nudge nudge = *found;
    nudge.delivering_since = change_.now();
    town_.put(std::move(nudge));
    change_.effect(effects::DeliverNudge{a.agent_id, a.nudge_id}, a.nudge_id.text);
    return {};
  }

  Applied on(const DeliverMail& a) {
    const Mail* found = town_.mail(a.mail_id);
    if (!found || found->delivered_at) return stale_because("no such mail");
    Mail mail = *found;
    const bool gone = !town_.agent(mail.to_agent_id);
    if (gone)
      mail.undeliverable = true;
    else
      mail.delivering_since = change_.now();
    const Mail sent = mail;
    town_.put(std::move(mail));
    if (!gone)
      change_.effect(effects::DeliverMail{a.agent_id, a.mail_id}, a.mail_id.text);
    else if (town_.agent(sent.from_agent_id))
      change_.mail(AgentId{}, sent.from_agent_id, sent.rig_id, "Not delivered: " + sent.subject,
                   "The agent " + sent.to_agent_id.text + " is gone.");
    return {};
  }

  Applied on(const ExpireNudge& a) {
    const Nudge* found = town_.nudge(a.nudge_id);
    if (!found || found->expired) return stale_because("no such nudge");
    Nudge nudge = *found;
    nudge.expired = true;
    town_.put(std::move(nudge));
    return {};
  }

  Applied on(const CreateTriageRequest& a) {
    change_.ask_triage(a.agent_id, a.triage_type, a.bead_id, a.run_id, a.reason);
    return {};
  }

  Applied on(const CreateTriageBatch& a) {
    Bead batch;
    batch.type = BeadType::issue;
    batch.title = "Triage batch: " + std::to_string(a.requests.size()) + " request(s)";
    batch.priority = Priority::high;
    batch.labels = {"gt:triage"};
    batch.created_by = "patrol";
    for (const BeadId& id : a.requests)
      if (const Bead* request = town_.bead(id); request && request->rig_id && batch.rig_id.empty())
        batch.rig_id = request->rig_id;
    if (const auto rigs = town_.rig_ids(); batch.rig_id.empty() && !rigs.empty()) batch.rig_id = rigs.front();
    change_.create(std::move(batch));
    return {};
  }

  Applied on(const RaiseEscalation& a) {
    if (a.escalation_id.empty()) return raise_new(a);
    const Bead* found = town_.bead(a.escalation_id);
    const auto* detail = found && found->detail ? std::get_if<Escalation>(found->detail.get()) : nullptr;
    if (!detail || terminal(found->status)) return stale_because("acknowledged meanwhile");
    Escalation escalation = *detail;
    escalation.severity = a.severity;
    ++escalation.re_escalation_count;
    Bead bead = *found;
    bead.priority = a.severity;
    bead.updated_at = change_.now();
    bead.detail = std::make_shared<const BeadDetail>(std::move(escalation));
    const std::string title = bead.title;
    town_.put(std::move(bead));
    change_.effect(effects::Alert{"escalation_again", a.escalation_id, title}, a.escalation_id.text);
    return {};
  }

  Applied on(const NotifyMayor& a) {
    for (const AgentId& mayor : town_.mayors()) change_.mail(AgentId{}, mayor, a.rig_id, "Breaker open", a.message);
    if (const Rig* found = town_.rig(a.rig_id)) {
      Rig rig = *found;
      rig.breaker.told = true;
      town_.put(std::move(rig));
    } else {
      TownRow row = town_.row();
      row.breaker.told = true;
      town_.put(std::move(row));
    }
    change_.effect(effects::Alert{"breaker", BeadId{}, a.message}, a.rig_id ? a.rig_id.text : "town");
    return {};
  }

  Applied on(const ForgetBudgetBreach& a) {
    remember_breach(a.setting, BeadId{});
    return {};
  }

  Applied on(const EmitEvent& a) {
    const Convoy* found = town_.convoy(a.convoy_id);
    if (!found) return stale_because("no such convoy");
    Convoy convoy = *found;
    const auto landing = std::find_if(convoy.landings.begin(), convoy.landings.end(),
                                      [&](const LandingAttempts& l) { return l.rig_id == a.rig_id; });
    if (landing == convoy.landings.end())
      convoy.landings.push_back({a.rig_id, 0, {}, a.suppressed_attempt});
    else
      landing->suppressed_attempt = a.suppressed_attempt;
    town_.put(std::move(convoy));
    RaiseEscalation ask;
    ask.bead_id = a.convoy_id;
    ask.category = "respawn_suppressed";
    ask.message = "its landing waits for an approval; approve it or `town retry " + a.convoy_id.text + "`";
    return raise_new(ask);
  }

 private:
  /// A request that a rule fails has a result too.
  Review* ended_review(const TransitionBead& a) {
    const Review* found = terminal(a.to) ? town_.review(a.bead_id) : nullptr;
    if (!found || found->result != ReviewResult::none) return nullptr;
    review_ = *found;
    return &review_;
  }

  void settle(Review& review, const TransitionBead& a) {
    review.result = ReviewResult::failed;
    review.failure_reason = "reconciler";
    review.failure_message = a.reason;
    review.verifying_since.reset();
    const BeadId source = review.source_bead_id;
    town_.put(review);
    const Bead* bead = town_.bead(source);
    if (bead && bead->type == BeadType::issue && !terminal(bead->status)) change_.count_round(source);
  }

  /// The smallest free agent of the rig that is not used up, else a new one.
  AgentId choose(const DispatchAgent& a) {
    const RigIndex& index = town_.index(a.rig_id);
    const bool review = a.kind == RunKind::review;
    for (const AgentId& id : review ? index.refineries : index.free_polecats)
      if (!used_.has(id) && free_agent(town_, *town_.agent(id))) return id;
    return change_.create_agent(review ? AgentRole::refinery : AgentRole::polecat, a.rig_id);
  }

  Applied dispatch_mayor(const DispatchAgent& a) {
    const Agent* agent = town_.agent(a.agent_id);
    if (!agent || agent->status != AgentStatus::idle || run_live(town_, *agent))
      return stale_because("the mayor is not idle");
    start_run(a, a.agent_id, town_.config().mayor_preset);
    used_.agents.insert(a.agent_id);
    return {true, "", a.agent_id};
  }

  void start_run(const DispatchAgent& a, const AgentId& agent_id, const std::string& preset) {
    Run run;
    run.run_id = RunId(town_.make_id());
    run.agent_id = agent_id;
    run.bead_id = a.bead_id;
    run.rig_id = a.rig_id;
    run.kind = a.kind;
    run.requested_at = change_.now();
    run.preset = preset;
    run.probe = a.probe;
    const RunId id = run.run_id;
    town_.put(std::move(run));
    Agent agent = *town_.agent(agent_id);
    agent.run_id = id;
    agent.status = AgentStatus::working;
    agent.status_since = change_.now();
    ++agent.dispatch_attempts;
    agent.last_dispatch_attempt_at = change_.now();
    agent.last_activity_at = change_.now();
    agent.last_event_type.clear();
    agent.last_event_at.reset();
    agent.active_tools.clear();
    agent.stalled_at.reset();
    town_.put(std::move(agent));
    if (a.probe) mark_probe(a.rig_id, id);
    if (a.bead_id) change_.history(a.bead_id, "agent_spawned", "", id.text, agent_id);
    change_.effect(effects::StartAgent{id}, id.text);
  }

  void mark_probe(const RigId& rig_id, const RunId& run) {
    if (const Rig* found = town_.rig(rig_id); found && found->breaker.opened_at) {
      Rig rig = *found;
      rig.breaker.probe = run;
      town_.put(std::move(rig));
    }
    if (town_.row().breaker.opened_at) {
      TownRow row = town_.row();
      row.breaker.probe = run;
      town_.put(std::move(row));
    }
  }

  Applied give_up_landing(const BeadId& id) {
    const Bead request = *town_.bead(id);
    if (town_.links(id).members.empty()) {
      change_.not_merged(id, ReviewResult::failed, "the landing was never answered");
      change_.effect(effects::Land{id}, id.text);  // a last look at whether it has happened
    } else {
      change_.halve(id, "");
    }
    Escalation escalation;
    escalation.severity = Priority::high;
    escalation.category = "landing_unanswered";
    escalation.message =
        "the landing was asked for " + std::to_string(town_.constants().verify_tries) + " times without an answer";
    escalation.source = town_.review(id)->source_bead_id;
    change_.escalate(std::move(escalation), request.rig_id, "Landing unanswered: " + request.title);
    used_.beads.insert(id);
    return {};
  }

  Applied raise_new(const RaiseEscalation& a) {
    Escalation escalation;
    escalation.severity = a.severity;
    escalation.category = a.category;
    escalation.message = a.message;
    escalation.source = a.bead_id;
    escalation.agent = a.agent_id;
    const Bead* about = town_.bead(a.bead_id);
    const std::string title = about ? about->title : a.category;
    if (const Review* found = town_.review(a.bead_id); found && a.category == "review_attempts_spent") {
      Review review = *found;
      review.told_waiting = true;
      town_.put(std::move(review));
    }
    if (a.category == "triage_failed") {
      TownRow row = town_.row();
      row.triage_escalated = true;
      town_.put(std::move(row));
    }
    const BeadId id = change_.escalate(std::move(escalation), about ? about->rig_id : RigId{}, "Escalation: " + title);
    for (const std::string_view setting : {kRunsPerDay, kUsdPerDay})
      if (a.category == category_of(setting)) remember_breach(setting, id);
    return {};
  }

  void remember_breach(std::string_view setting, const BeadId& escalation) {
    TownRow row = town_.row();
    row.*told_of(setting) = escalation;
    town_.put(std::move(row));
  }

  void stamp(const BeadId& id) {
    Bead bead = *town_.bead(id);
    bead.updated_at = change_.now();
    town_.put(std::move(bead));
  }

  Change& change_;
  Town& town_;
  UsedUp& used_;
  Review review_;
};

}  // namespace

Applied apply_action(Change& change, const ActionBody& action, UsedUp& used) {
  Applier applier(change, used);
  return std::visit([&applier](const auto& body) { return applier.on(body); }, action);
}

}  // namespace townd
