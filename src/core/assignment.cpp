#include "core/assignment.hpp"

#include <algorithm>

#include "core/molecule.hpp"
#include "core/rules/common.hpp"

namespace townd {

std::string slug(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string made;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    if (letter || upper)
      made += upper ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!made.empty() && made.back() != '-')
      made += '-';
    if (made.size() == kLongest) break;
  }
  while (!made.empty() && made.back() == '-') made.pop_back();
  return made.empty() ? "x" : made;
}

std::string target_branch_of(const Town& town, const Bead& source) {
  const Convoy* convoy = convoy_of(town, source.bead_id);
  if (convoy && convoy->merge_mode == MergeMode::review_then_land && !convoy->feature_branch.empty())
    return convoy->feature_branch;
  const Rig* rig = town.rig(source.rig_id);
  return rig ? target_of(*rig) : "main";
}

std::string branch_of(const Town& town, const Agent& agent, const Bead& bead) {
  const auto* rework = bead.detail ? std::get_if<Rework>(bead.detail.get()) : nullptr;
  if (rework && !rework->branch.empty()) return rework->branch;
  const std::string own = "gt/" + slug(agent.name) + "/" + bead.bead_id.text;
  const Convoy* convoy = convoy_of(town, bead.bead_id);
  constexpr std::string_view kHead = "/head";
  if (!convoy || !std::string_view(convoy->feature_branch).ends_with(kHead)) return own;
  return convoy->feature_branch.substr(0, convoy->feature_branch.size() - kHead.size()) + "/" + own;
}

namespace {

std::string explicit_of(const std::string& of_rig, const std::string& of_town) {
  return of_rig.empty() ? of_town : of_rig;
}

/// The newest ended run on the bead that left work behind; for rework, the run whose work was refused.
RunId continue_from(const Town& town, const Bead& bead, const RunId& current) {
  if (const auto* rework = bead.detail ? std::get_if<Rework>(bead.detail.get()) : nullptr) {
    RunId latest;
    for (const RunId& id : town.links(bead.bead_id).runs)
      if (id != current && town.run(id)->state == RunState::ended) latest = std::max(latest, id);
    if (latest) return latest;
    if (const Review* review = town.review(rework->request)) return review->source_run_id;
  }
  RunId latest;
  for (const RunId& id : town.links(bead.bead_id).runs) {
    const Run& run = *town.run(id);
    if (id != current && run.state == RunState::ended && run.kind == RunKind::work) latest = std::max(latest, id);
  }
  return latest;
}

TrialRequest trial_of(const Town& town, const BeadId& id) {
  const Review& review = *town.review(id);
  const Bead* source = town.bead(review.source_bead_id);
  return {id, source ? source->title : town.bead(id)->title, review.branch, review.commit, review.source_run_id};
}

/// What was last handed in for the bead, or is to be reworked; empty when nothing was.
std::string handed_in_before(const Town& town, const Bead& bead, const std::optional<Rework>& rework) {
  BeadId request = rework ? rework->request : BeadId{};
  if (!rework)
    for (const BeadId& id : town.links(bead.bead_id).requests) request = std::max(request, id);
  const Review* review = town.review(request);
  return review ? review->commit : "";
}

/// The requests that are tried together, in the order in which they are merged.
std::vector<TrialRequest> batch_of(const Town& town, const BeadId& head) {
  std::vector<BeadId> members = town.links(head).members;
  std::sort(members.begin(), members.end(), [&](const BeadId& left, const BeadId& right) {
    return ready_key(town, *town.bead(left)) < ready_key(town, *town.bead(right));
  });
  std::vector<TrialRequest> batch{trial_of(town, head)};
  for (const BeadId& member : members) batch.push_back(trial_of(town, member));
  return batch;
}

/// What people and this mayor said to each other.
std::vector<Said> thread_of(const Town& town, const AgentId& mayor) {
  std::vector<Said> thread;
  for (const MessageId& id : town.mail_ids()) {
    const Mail& mail = *town.mail(id);
    const bool by_mayor = mail.from_agent_id == mayor && !mail.to_agent_id;
    if (by_mayor || (mail.to_agent_id == mayor && !mail.from_agent_id))
      thread.push_back({by_mayor, mail.subject, mail.body});
  }
  if (thread.size() > kThread) thread.erase(thread.begin(), thread.end() - kThread);
  return thread;
}

}  // namespace

std::optional<CurrentStep> step_of(const Town& town, const BeadId& issue) {
  const BeadId molecule = molecule_of(town, issue);
  const BeadId step = molecule ? current_step(town, molecule) : BeadId{};
  if (!step) return std::nullopt;
  const auto steps = steps_of(town, molecule);
  const auto place = std::find(steps.begin(), steps.end(), step);
  return CurrentStep{molecule, *town.bead(step), static_cast<std::size_t>(place - steps.begin()) + 1, steps.size()};
}

std::optional<Assignment> describe(const Town& town, const RunId& run_id) {
  const Run* run = town.run(run_id);
  const Agent* agent = run ? town.agent(run->agent_id) : nullptr;
  if (!agent) return std::nullopt;
  Assignment a;
  a.town_id = town.row().town_id;
  a.run_id = run_id;
  a.kind = run->kind;
  a.agent = *agent;
  a.preset = run->preset;
  a.checkpoint = agent->checkpoint;
  if (const Rig* rig = town.rig(run->rig_id)) {
    a.rig = *rig;
    a.gates = rig->config.gates;
    a.strategy = strategy_of(town, *rig);
    a.preset = explicit_of(run->preset, preset_of(town, *rig, agent->role));
  }
  if (run->kind == RunKind::mayor) a.thread = thread_of(town, run->agent_id);
  const Bead* bead = town.bead(run->bead_id);
  if (!bead) return a;
  a.bead = *bead;
  a.step = step_of(town, bead->bead_id);
  if (const Convoy* convoy = convoy_of(town, bead->bead_id))
    if (const Bead* of = town.bead(convoy->bead_id)) a.convoy_title = of->title;
  for (const RunId& id : town.links(bead->bead_id).runs) {
    const Run& earlier = *town.run(id);
    if (id != run_id && earlier.outcome)
      a.attempts.push_back({id, std::string(to_string(*earlier.outcome)), earlier.exit_reason});
  }
  if (const auto* rework = bead->detail ? std::get_if<Rework>(bead->detail.get()) : nullptr) a.rework = *rework;
  if (const Review* review = town.review(bead->bead_id)) {
    a.branch = review->branch;
    a.target_branch = review->target_branch;
    a.trial = batch_of(town, bead->bead_id);
    if (const TrialAhead& ahead = a.rig.queue.ahead; ahead.head == bead->bead_id && town.review(ahead.of)) {
      a.expected = batch_of(town, ahead.of);
      const Run* other = town.run(ahead.on);
      if (const Agent* by = other ? town.agent(other->agent_id) : nullptr) a.expected_by = by->name;
    }
    std::vector<BeadId> tried;
    for (const TrialRequest& request : a.trial) tried.push_back(request.bead_id);
    a.care = care_for(a.rig.queue, review->target_branch, tried);
    return a;
  }
  a.branch = branch_of(town, *agent, *bead);
  a.target_branch =
      a.rework && !a.rework->target_branch.empty() ? a.rework->target_branch : target_branch_of(town, *bead);
  a.continue_run_id = continue_from(town, *bead, run_id);
  a.start_commit = handed_in_before(town, *bead, a.rework);
  if (run->kind == RunKind::triage)
    for (const BeadId& id : town.open_triage_requests()) a.triage.push_back(*town.bead(id));
  return a;
}

}  // namespace townd
