#include <algorithm>

#include "core/assignment.hpp"
#include "core/change.hpp"
#include "core/merge_queue.hpp"
#include "core/text.hpp"

/// Merge requests from submission to their result, rework and its rounds, escalations, triage questions, mail.
namespace townd {
namespace {

/// The trial that it was made on top of is remembered: no other is.
Rig without_ahead(Rig rig) {
  rig.queue.ahead.head = rig.queue.ahead.of = {};
  return rig;
}

bool live_request(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead && bead->type == BeadType::merge_request && !terminal(bead->status);
}

}  // namespace

BeadId Change::submit(const BeadId& source_id, const Agent& agent, const events::AgentDone& done) {
  const Bead source = *town_.bead(source_id);
  const Rig* rig = town_.rig(source.rig_id);
  const std::string target = target_branch_of(town_, source);
  const bool on_its_own = rig && target == target_of(*rig);  // a convoy is one pull request, at its end
  const bool adopted = !agent.agent_id && !done.pr_url.empty();
  const Strategy strategy = adopted ? Strategy::pr : on_its_own ? strategy_of(town_, *rig) : Strategy::direct;
  // What townd pushes itself goes where it says: an agent's word may name anybody's branch or pull request.
  const bool own_place = strategy == Strategy::pr && agent.agent_id;
  const std::string branch = own_place ? branch_of(town_, agent, source) : done.branch;
  for (const BeadId& id : town_.links(source_id).requests) {
    const Review* review = town_.review(id);
    if (!live_request(town_, id) || review->branch != branch) continue;
    Review same = *review;  // handed in again: the same request, newer work
    const bool newer = same.commit != done.commit;
    same.commit = done.commit;
    same.source_run_id = done.run_id;
    same.reviewed = same.reviewed && !newer;
    const bool being_tried = newer && same.pr_url.empty() && town_.bead(id)->status == BeadStatus::in_progress;
    town_.put(std::move(same));
    if (being_tried) {  // what is tried, or landed, is not this any more
      release_refinery(id);
      back_to_queue(id);
    }
    return id;
  }
  Review review;
  review.branch = branch;
  review.target_branch = target;
  review.commit = done.commit;
  review.source_bead_id = source_id;
  review.source_agent_id = agent.agent_id;
  review.source_run_id = done.run_id;
  review.strategy = strategy;
  if (!own_place) review.pr_url = done.pr_url;
  if (!review.pr_url.empty()) review.published_commit = done.commit;
  const BeadId id = create_request(std::move(review), source.rig_id, source.priority, "Review: " + branch, done.summary,
                                   agent.agent_id.text);
  history(source_id, "review_submitted", "", branch, agent.agent_id);
  return id;
}

BeadId Change::create_request(Review review, const RigId& rig, Priority priority, std::string_view title,
                              std::string_view body, std::string_view created_by) {
  Bead bead;
  bead.bead_id = BeadId(town_.make_id());
  bead.type = BeadType::merge_request;
  bead.title = shortened(title, 500);
  bead.rig_id = rig;
  bead.priority = priority;
  bead.labels = {"gt:merge-request"};
  bead.created_by = created_by;
  review.bead_id = bead.bead_id;
  const BeadId id = bead.bead_id;
  const BeadId source = review.source_bead_id;
  town_.put(std::move(review));
  create(std::move(bead), body);
  town_.put(Dependency{id, source, DependencyKind::tracks});
  return id;
}

bool Change::count_round(const BeadId& id) {
  const Bead* found = town_.bead(id);
  if (!found) return true;
  if (found->review_rounds >= town_.constants().review_rounds) return false;
  Bead bead = *found;
  ++bead.review_rounds;
  town_.put(std::move(bead));
  return true;
}

void Change::rounds_exhausted(const BeadId& id) {
  const Review review = *town_.review(id);
  const Bead request = *town_.bead(id);
  fail_request(id, ReviewResult::rounds_exhausted, "rounds_exhausted", "", "no review round is left");
  if (const Bead* source = town_.bead(review.source_bead_id); source && source->type == BeadType::issue) {
    hold(review.source_bead_id);
    set_status(review.source_bead_id, BeadStatus::open);
    clear_assignee(review.source_bead_id);
  }
  Escalation escalation;
  escalation.severity = Priority::high;
  escalation.category = "rounds_exhausted";
  escalation.message = "reviewed " + std::to_string(town_.constants().review_rounds) +
                       " times without success; look at the feedback, then `town reopen` or `town cancel` it";
  escalation.source = review.source_bead_id;
  escalate(std::move(escalation), request.rig_id, "Review rounds spent: " + request.title);
}

BeadId Change::create_rework(const BeadId& request_id, std::string_view label, std::string_view title,
                             std::string_view feedback, Rework detail) {
  if (live_blocker(town_, request_id, label)) return {};
  const Review review = *town_.review(request_id);
  const Bead request = *town_.bead(request_id);
  if (!count_round(review.source_bead_id)) {
    rounds_exhausted(request_id);
    return {};
  }
  detail.request = request_id;
  detail.source = review.source_bead_id;
  if (detail.branch.empty()) detail.branch = review.branch;
  if (detail.target_branch.empty()) detail.target_branch = review.target_branch;
  Bead bead;
  bead.type = BeadType::issue;
  bead.title = shortened(title, 500);
  bead.rig_id = request.rig_id;
  bead.parent_bead_id = request_id;
  bead.priority = request.priority;
  bead.labels = {std::string(label)};
  bead.created_by = by_;
  bead.detail = std::make_shared<const BeadDetail>(std::move(detail));
  const BeadId id = create(std::move(bead), feedback);
  town_.put(Dependency{request_id, id, DependencyKind::blocks});
  history(request_id, "rework_requested", "", shortened(feedback, 500));
  return id;
}

void Change::release_refinery(const BeadId& request) {
  for (const AgentId& agent : std::vector<AgentId>(town_.links(request).hooked)) let_go(agent);
}

void Change::sign_off(const RunId& run) {
  const Run* found = town_.run(run);
  if (!found) return;
  Run marked = *found;
  marked.requested_changes = true;
  town_.put(std::move(marked));
  settle_run(run, Outcome::changes_requested);
}

void Change::send_back(const BeadId& request, std::string_view feedback, std::vector<std::string> files) {
  Review review = *town_.review(request);
  review.verdict = Verdict::changes;
  review.reviewed = false;
  const BeadId source = review.source_bead_id;
  town_.put(std::move(review));
  const Bead* bead = town_.bead(source);
  const std::string title = "Rework: " + (bead ? bead->title : town_.bead(request)->title);
  Rework detail;
  detail.files = std::move(files);
  create_rework(request, "gt:rework", title, feedback, std::move(detail));
}

void Change::approve_pr(const BeadId& request, std::string_view summary, const AgentId& by) {
  Review review = *town_.review(request);
  review.verdict = Verdict::approved;
  town_.put(std::move(review));
  history(request, "approved", "", summary, by);
}

void Change::back_to_queue(const BeadId& request) {
  if (!live_request(town_, request)) return;
  Review again = *town_.review(request);
  if (again.verdict == Verdict::approved) again.verdict = Verdict::none;
  again.auto_merge_pending = false;
  again.verifying_since.reset();
  again.claimed_commit.clear();
  again.base_commit.clear();
  again.held_why.clear();
  again.held_alone = false;
  town_.put(std::move(again));
  set_status(request, BeadStatus::open);
}

std::vector<BeadId> Change::break_up(const BeadId& head) {
  std::vector<BeadId> batch{head};
  for (const BeadId& member : std::vector<BeadId>(town_.links(head).members)) {
    Review apart = *town_.review(member);
    apart.batch_head = {};
    town_.put(std::move(apart));
    batch.push_back(member);
  }
  return batch;
}

/// A request left its batch before the end of it, cancelled perhaps: what was merged with it cannot land any more, and
/// the others go back to the queue.
void Change::leave_batch(const BeadId& request) {
  const Review* review = town_.review(request);
  if (!review) return;
  const BeadId head = review->batch_head ? review->batch_head : request;
  if (town_.links(head).members.empty()) return;
  const std::vector<BeadId> batch = break_up(head);
  if (request != head) release_refinery(head);
  for (const BeadId& id : batch)
    if (id != request) back_to_queue(id);
}

void Change::try_ahead(const RigId& rig_id, const BeadId& head, const BeadId& of) {
  const auto& hooked = town_.links(of).hooked;
  const Agent* agent = hooked.empty() ? nullptr : town_.agent(hooked.front());
  Rig rig = *town_.rig(rig_id);
  rig.queue.ahead = {head, of, agent ? agent->run_id : RunId{}};
  town_.put(std::move(rig));
}

void Change::call_off_ahead(const BeadId& of) {
  const Rig* found = town_.rig(town_.bead(of)->rig_id);
  if (!found || !found->queue.ahead.head || found->queue.ahead.of != of) return;
  const BeadId head = found->queue.ahead.head;
  town_.put(without_ahead(*found));
  release_refinery(head);
  for (const BeadId& id : break_up(head)) {
    back_to_queue(id);
    history(id, "called_off", "", "what it was tried on top of does not land");
  }
}

/// A request has left its trial. Landed: what was tried on top of it stands on the target now.
void Change::settle_ahead(const Bead& request) {
  const Rig* found = town_.rig(request.rig_id);
  if (!found || !found->queue.ahead.head) return;
  const TrialAhead& ahead = found->queue.ahead;
  const Review* review = town_.review(request.bead_id);
  const bool landed = request.status == BeadStatus::closed && review && review->evidence == "commit";
  if (ahead.of == request.bead_id && !landed) return call_off_ahead(request.bead_id);
  if (ahead.of != request.bead_id && ahead.head != request.bead_id) return;
  town_.put(without_ahead(*found));
}

void Change::halve(const BeadId& head, std::string_view gate) {
  if (town_.links(head).members.empty()) return;
  release_refinery(head);
  const std::string target = town_.review(head)->target_branch;
  std::vector<BeadId> batch = break_up(head);
  for (const BeadId& id : batch) back_to_queue(id);
  const Rig* found = town_.rig(town_.bead(head)->rig_id);
  if (!found) return;
  Rig rig = *found;
  suspect(rig.queue, {target, std::string(gate), std::move(batch), false});
  town_.put(std::move(rig));
}

void Change::forget_suspect(const BeadId& request) {
  const Review* review = town_.review(request);
  const Rig* found = review ? town_.rig(town_.bead(request)->rig_id) : nullptr;
  if (!found || found->queue.suspects.empty()) return;
  Rig rig = *found;
  leave(rig.queue, review->target_branch, request);
  if (rig.queue != found->queue) town_.put(std::move(rig));
}

void Change::end_requests(const BeadId& source, ReviewResult result, const BeadId& except) {
  for (const BeadId& id : std::vector<BeadId>(town_.links(source).requests)) {
    if (id == except || !live_request(town_, id)) continue;
    if (result == ReviewResult::superseded) {
      Review review = *town_.review(id);
      review.result = result;
      town_.put(std::move(review));
      set_status(id, BeadStatus::closed);
    } else {
      fail_request(id, result, to_string(result), "", "");
    }
    release_refinery(id);
    if (const Review* ended = town_.review(id); ended && !ended->pr_url.empty())
      effect(effects::ClosePrComment{id}, id.text);
  }
}

void Change::merged(const BeadId& id, std::string_view evidence, std::string_view commit) {
  if (!live_request(town_, id)) return;
  Review review = *town_.review(id);
  review.result = ReviewResult::merged;
  review.evidence = evidence;
  review.merge_commit = commit;
  review.verifying_since.reset();
  review.auto_merge_pending = false;
  review.held_why.clear();
  review.held_alone = false;
  const BeadId source_id = review.source_bead_id;
  town_.put(std::move(review));
  set_status(id, BeadStatus::closed);
  release_refinery(id);
  history(source_id, "review_completed", "", "merged");
  close_merged(source_id, id);
}

void Change::merged_after_all(const BeadId& id, std::string_view commit) {
  Review review = *town_.review(id);
  const std::string believed(to_string(review.result));
  review.result = ReviewResult::merged;
  review.evidence = "commit";
  review.merge_commit = commit;
  const BeadId source_id = review.source_bead_id;
  town_.put(std::move(review));
  history(source_id, "review_completed", believed, "merged");
  close_merged(source_id, id);
}

/// The source of the request `id`, whose work is on the target.
void Change::close_merged(const BeadId& source_id, const BeadId& id) {
  const Bead* source = town_.bead(source_id);
  if (!source || source->type == BeadType::convoy) return;
  end_requests(source_id, ReviewResult::superseded, id);
  set_status(source_id, BeadStatus::closed);
  for (const AgentId& agent : std::vector<AgentId>(town_.links(source_id).hooked)) let_go(agent);
}

void Change::fail_request(const BeadId& id, ReviewResult result, std::string_view reason, std::string_view kind,
                          std::string_view message) {
  Review review = *town_.review(id);
  review.result = result;
  review.failure_reason = reason;
  review.failure_kind = kind;
  review.failure_message = message;
  review.verifying_since.reset();
  review.auto_merge_pending = false;
  review.held_why.clear();
  review.held_alone = false;
  const BeadId source_id = review.source_bead_id;
  town_.put(std::move(review));
  set_status(id, BeadStatus::failed);
  release_refinery(id);
  history(source_id, "review_completed", "", to_string(result));
}

void Change::not_merged(const BeadId& id, ReviewResult result, std::string_view message) {
  if (!live_request(town_, id)) return;
  const Review review = *town_.review(id);
  const Bead request = *town_.bead(id);
  const Bead* source = town_.bead(review.source_bead_id);
  const bool issue = source && source->type == BeadType::issue;
  if (issue && !terminal(source->status) && !count_round(review.source_bead_id)) {
    rounds_exhausted(id);
    return;
  }
  fail_request(id, result, to_string(result), "", message);
  if (issue && !terminal(town_.bead(review.source_bead_id)->status)) {
    set_status(review.source_bead_id, BeadStatus::open);
    clear_assignee(review.source_bead_id);
  }
  if (result == ReviewResult::conflict) {
    Escalation escalation;
    escalation.severity = Priority::high;
    escalation.category = "merge_conflict";
    escalation.message = message;
    escalation.source = review.source_bead_id;
    escalation.agent = review.source_agent_id;
    escalation.conflict = true;
    escalate(std::move(escalation), request.rig_id, "Merge conflict: " + std::string(message));
  }
}

// ---- people ------------------------------------------------------------------------------------------------------

BeadId Change::escalate(Escalation escalation, const RigId& rig, std::string_view title) {
  Bead bead;
  bead.type = BeadType::escalation;
  bead.title = shortened(title, 500);
  bead.rig_id = rig;
  bead.priority = escalation.severity == Priority::low ? Priority::medium : escalation.severity;
  bead.labels = {"gt:escalation", "severity:" + std::string(to_string(escalation.severity))};
  bead.created_by = by_;
  const std::string message = escalation.message;
  bead.detail = std::make_shared<const BeadDetail>(std::move(escalation));
  const BeadId id = create(std::move(bead), message);
  effect(effects::Alert{"escalation", id, std::string(title)}, id.text);
  return id;
}

BeadId Change::ask_triage(const AgentId& agent, std::string_view type, const BeadId& about, const RunId& run,
                          std::string_view reason, std::vector<std::string> options) {
  int others = 0;
  for (const BeadId& id : town_.open_triage_requests()) {
    const auto* triage = std::get_if<TriageRequest>(town_.bead(id)->detail.get());
    if (!triage) continue;
    if (triage->agent == agent && triage->triage_type == type) return {};
    others += triage->triage_type != "escalation" ? 1 : 0;
  }
  if (type != "escalation" && others >= town_.constants().triage_cap) return {};
  if (options.empty()) options = {"RESTART", "CLOSE_BEAD", "ESCALATE_TO_MAYOR"};
  Bead bead;
  bead.type = BeadType::issue;
  bead.title = shortened("Triage: " + std::string(reason), 500);
  bead.assignee_agent_bead_id = agent;
  bead.labels = {"gt:triage-request"};
  bead.created_by = by_;
  if (const Agent* row = town_.agent(agent)) bead.rig_id = row->rig_id;
  bead.detail = std::make_shared<const BeadDetail>(
      TriageRequest{std::string(type), agent, about, run, std::string(reason), std::move(options), "", "", ""});
  return create(std::move(bead), reason);
}

MessageId Change::mail(const AgentId& from, const AgentId& to, const RigId& rig, std::string_view subject,
                       std::string_view body) {
  Mail row;
  row.mail_id = MessageId(town_.make_id());
  row.from_agent_id = from;
  row.to_agent_id = to;
  row.rig_id = rig;
  row.subject = shortened(subject, 500);
  row.body = text(body);
  row.created_at = now_;
  const MessageId id = row.mail_id;
  out_.created.push_back(id.text);
  town_.put(std::move(row));
  if (const Agent* agent = town_.agent(to); agent && agent->current_hook_bead_id)
    history(agent->current_hook_bead_id, "mail_sent", "", subject, to);
  return id;
}

}  // namespace townd
