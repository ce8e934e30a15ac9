#include "core/rules/common.hpp"

/// M and T: the mayor wakes for its mail, messages are delivered one by one, questions and escalations do not rot.
namespace townd {
namespace {

using namespace actions;

Decision wake(const Town& town, const SubjectKey& key, Instant now) {
  const Agent* agent = agent_of(town, key);
  if (!agent || agent->role != AgentRole::mayor || agent->status != AgentStatus::idle) return not_concerned();
  if (run_live(town, *agent)) return Hold{Reason::run_live};
  if (town.undelivered(agent->agent_id).empty()) return Hold{Reason::no_mail};
  const Gate gate = may_dispatch_mayor(town, *agent, now);
  if (!gate.open()) return as_decision(gate);
  return act(DispatchAgent{agent->agent_id, BeadId{}, RigId{}, RunKind::mayor, false});
}

MaybeInstant delivering_since(const Town& town, const MessageId& id) {
  if (const Nudge* nudge = town.nudge(id)) return nudge->delivering_since;
  if (const Mail* mail = town.mail(id)) return mail->delivering_since;
  return std::nullopt;
}

Decision deliver(const Town& town, const SubjectKey& key, Instant now) {
  const MessageId id(key.text);
  const Nudge* nudge = town.nudge(id);
  const Mail* mail = nudge ? nullptr : town.mail(id);
  if (!nudge && !mail) return not_concerned();
  if (nudge ? nudge->delivered_at || nudge->expired : mail->delivered_at || mail->undeliverable) return not_concerned();
  if (mail && !mail->to_agent_id) return Hold{Reason::waiting_for_person};
  const AgentId to = nudge ? nudge->agent_id : mail->to_agent_id;
  const Agent* agent = town.agent(to);
  if (!agent) return nudge ? act(ExpireNudge{id}) : act(DeliverMail{to, id});
  const Run* run = run_of(town, *agent);
  if (!run || run->state != RunState::running) return Hold{Reason::recipient_absent};
  for (const MessageId& other : town.undelivered(to)) {  // in id order, one at a time
    const MaybeInstant since = delivering_since(town, other);
    const Duration patience = town.constants().delivery_timeout;
    if (since && !stale(since, patience, now)) return Wait{stale_at(*since, patience), Reason::in_flight};
    if (other == id) break;
    if (!since) return Hold{Reason::in_flight};
  }
  return nudge ? act(DeliverNudge{to, id}) : act(DeliverMail{to, id});
}

Decision expire(const Town& town, const SubjectKey& key, Instant now) {
  const Nudge* nudge = town.nudge(MessageId(key.text));
  if (!nudge || nudge->delivered_at || nudge->expired || !nudge->expires_at) return not_concerned();
  if (now < *nudge->expires_at) return Wait{*nudge->expires_at, Reason::young};
  return act(ExpireNudge{nudge->nudge_id});
}

Decision moot(const Town& town, const SubjectKey& key, Instant) {
  const Bead* bead = bead_of(town, key);
  if (!bead || terminal(bead->status) || !has_label(*bead, "gt:triage-request")) return not_concerned();
  const auto* triage = bead->detail ? std::get_if<TriageRequest>(bead->detail.get()) : nullptr;
  if (!triage) return not_concerned();
  const Bead* about = town.bead(triage->bead);
  const Run* run = triage->run ? town.run(triage->run) : nullptr;
  const bool over = (about && terminal(about->status)) || (run && run->state == RunState::ended);
  if (!over) return Hold{Reason::waiting_for_person};
  return act(TransitionBead{bead->bead_id, bead->status, BeadStatus::closed, "the question is moot"});
}

Decision batch(const Town& town, const SubjectKey&, Instant now) {
  const auto& open = town.open_triage_requests();
  if (open.empty()) return not_concerned();
  if (!town.live_triage_batches().empty()) return Hold{Reason::batch_live};
  const Constants& constants = town.constants();
  const TownRow& row = town.row();
  if (row.triage_failures >= constants.triage_failures) {
    if (row.triage_escalated) return Hold{Reason::waiting_for_person};
    RaiseEscalation ask;
    ask.category = "triage_failed";
    ask.message =
        "triage failed " + std::to_string(row.triage_failures) + " times in a row; resolve the questions yourself";
    return act(std::move(ask));
  }
  if (row.triage_failed_at && row.triage_failures > 0) {
    const Duration pause = std::min(constants.triage_delay * (std::int64_t{1} << std::min(row.triage_failures, 20)),
                                    constants.triage_backoff_max);
    if (!stale(row.triage_failed_at, pause, now)) return Wait{stale_at(*row.triage_failed_at, pause), Reason::backoff};
  }
  std::vector<const Bead*> requests;
  for (const BeadId& id : open) requests.push_back(town.bead(id));
  std::stable_sort(requests.begin(), requests.end(),
                   [](const Bead* a, const Bead* b) { return a->status_since < b->status_since; });
  if (!stale(requests.front()->status_since, constants.triage_delay, now))
    return Wait{stale_at(requests.front()->status_since, constants.triage_delay), Reason::young};
  CreateTriageBatch made;
  for (const Bead* request : requests)
    if (made.requests.size() < static_cast<std::size_t>(constants.triage_batch))
      made.requests.push_back(request->bead_id);
  return act(std::move(made));
}

Decision escalate_again(const Town& town, const SubjectKey& key, Instant now) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::escalation || terminal(bead->status)) return not_concerned();
  const auto* detail = bead->detail ? std::get_if<Escalation>(bead->detail.get()) : nullptr;
  if (!detail || detail->acknowledged) return not_concerned();
  const int count = detail->re_escalation_count;
  if (count >= town.constants().escalation_max) return Hold{Reason::waiting_for_person};
  const Duration patience = town.constants().escalation_step * (count + 1);
  if (!stale(bead->created_at, patience, now))
    return Wait{stale_at(bead->created_at, patience), Reason::waiting_for_person};
  RaiseEscalation again;
  again.escalation_id = bead->bead_id;
  again.severity = detail->severity == Priority::critical
                       ? Priority::critical
                       : static_cast<Priority>(static_cast<int>(detail->severity) + 1);
  again.category = detail->category;
  again.message = detail->message;
  return act(std::move(again));
}

constexpr Rule kRules[] = {
    {"mayor.wake", Stage::mayor, kActs | kWaits | kHolds, wake, "an idle mayor with messages is started"},
    {"messages.deliver", Stage::messages, kActs | kWaits | kHolds, deliver,
     "a message goes to its running recipient, one at a time; what is for people waits for them"},
    {"nudges.expire", Stage::messages, kActs | kWaits, expire, "a nudge whose time is over is dropped"},
    {"triage.batch", Stage::town, kActs | kWaits | kHolds, batch,
     "open questions are given to a triage agent, at most 20 at once"},
    {"triage.moot", Stage::triage, kActs | kHolds, moot, "a question about what is over is closed"},
    {"escalations.again", Stage::escalations, kActs | kWaits | kHolds, escalate_again,
     "an escalation that nobody acknowledged is raised again after 4, 8 and 12 hours"},
};

}  // namespace

std::span<const Rule> message_rules() { return kRules; }

}  // namespace townd
