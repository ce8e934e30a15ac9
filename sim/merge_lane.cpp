#include "sim/merge_lane.hpp"

#include <algorithm>

#include "core/assignment.hpp"

namespace townd::sim {
namespace {

TownRow town_without_limits() {
  TownRow row;
  row.town_id = TownId("lane");
  row.name = "lane";
  row.prefix = "ln";
  row.node.slots = 1'000;
  row.config.code_review = false;
  row.config.runs_per_day = 1'000'000;
  return row;
}

std::string commit_of(const BeadId& request) { return "commit-" + request.text; }

}  // namespace

MergeLane::MergeLane(Duration gate, int most, std::uint64_t seed)
    : gate_(gate), random_(seed), town_(town_without_limits()) {
  Rig rig;
  rig.rig_id = rig_;
  rig.name = "rig";
  rig.config.gates = {"make test"};
  rig.config.max_polecats = 0;  // nobody reworks what was sent back
  rig.config.max_batch = most;
  rig.created_at = now_;
  town_.put(std::move(rig));
  town_.settle();
}

BeadId MergeLane::hand_in(bool broken, Priority priority) {
  Bead source;
  source.bead_id = BeadId("s-" + std::to_string(++made_));
  source.status = BeadStatus::in_review;
  source.title = "work";
  source.rig_id = rig_;
  source.priority = priority;
  source.status_since = source.ready_since = source.created_at = source.updated_at = now_;
  Bead request = source;
  request.bead_id = BeadId("r-" + std::to_string(made_));
  request.type = BeadType::merge_request;
  request.status = BeadStatus::open;
  request.labels = {"gt:merge-request"};
  Review review;
  review.bead_id = request.bead_id;
  review.source_bead_id = source.bead_id;
  review.branch = "gt/" + source.bead_id.text;
  review.target_branch = "main";
  review.commit = commit_of(request.bead_id);
  const BeadId id = request.bead_id;
  const BeadId of = source.bead_id;
  town_.put(std::move(source));
  town_.put(std::move(review));
  town_.put(std::move(request));
  town_.put(Dependency{id, of, DependencyKind::tracks});
  town_.settle();
  if (broken) broken_.insert(id);
  handed_in_[id] = now_;
  return id;
}

void MergeLane::review_first() {
  Rig rig = *town_.rig(rig_);
  rig.config.refinery_preset = "reader";
  town_.put(std::move(rig));
  TownRow row = town_.row();
  row.config.code_review = true;
  town_.put(std::move(row));
  town_.settle();
}

void MergeLane::at_odds(const BeadId& one, const BeadId& other) { at_odds_.insert({one, other}); }
void MergeLane::in_the_way(const BeadId& earlier, const BeadId& later) { in_the_way_.insert({earlier, later}); }
void MergeLane::cancel(const BeadId& request) { tell(events::BeadCancelled{request, "", "person"}); }

void MergeLane::remove(const BeadId& request) {
  handed_in_.erase(request);
  tell(events::BeadDeleted{request, "person"});
}

std::size_t MergeLane::sent_back() const {
  return static_cast<std::size_t>(std::count_if(handed_in_.begin(), handed_in_.end(), [&](const auto& known) {
    return town_.review(known.first)->verdict == Verdict::changes;
  }));
}

void MergeLane::run(Duration most) {
  const Instant until = now_ + most;
  for (;;) {
    tick_now();
    if (!told_.empty()) continue;
    use_lanes();
    if (under_way_.empty() && town_.index(rig_).queue.empty() && town_.index(rig_).reviewing.empty()) return;
    // A process is heard twice a minute.
    now_ = now_ + seconds(30);
    if (now_ > until) return;
    for (auto under = under_way_.begin(); under != under_way_.end();) {
      if (!under->second.at || *under->second.at > now_) {
        ++under;
        continue;
      }
      report(under->first, std::move(under->second));
      under = under_way_.erase(under);
    }
  }
}

void MergeLane::report(const RunId& run, Under under) {
  const AgentId agent = under.result.agent_id;
  if (!under.review) {
    tell(std::move(under.result));
  } else {
    if (disliked_.contains(under.result.requests.front()))
      tell(events::RequestChanges{agent, run, under.result.requests.front(), "name it better", {}});
    if (reviewers_lie) {
      events::TrialResult lie = under.result;
      lie.base = tip_;
      lie.commit = "made-up";
      lie.outcome = events::TrialOutcome::green;
      tell(std::move(lie));
    }
    events::AgentDone done;
    done.agent_id = agent;
    done.run_id = run;
    tell(std::move(done));
  }
  tell(events::AgentCompleted{agent, run, "completed", {}, 0, 0, {}});
}

void MergeLane::tick_now() {
  TickInput input{now_, {}, {}, {}};
  for (const auto& [run, under] : under_way_) {
    SignOfLife sign;
    sign.agent_id = under.result.agent_id;
    sign.run_id = run;
    sign.at = now_;
    input.life.push_back(std::move(sign));
  }
  input.events.swap(told_);
  for (const TickResult& result : tick_until_settled(town_, input)) {
    town_.settle();
    for (const Violation& violation : result.violations)
      violations.push_back(std::to_string(violation.invariant) + " " + violation.subject + ": " + violation.message);
    for (const Effect& effect : result.outbox.effects) {
      if (const auto* begin = std::get_if<effects::StartAgent>(&effect.body)) start(begin->run_id);
      if (const auto* landing = std::get_if<effects::Land>(&effect.body)) land(landing->request_id);
      if (const auto* stop = std::get_if<effects::StopAgent>(&effect.body)) {
        under_way_.erase(stop->run_id);
        tell(events::AgentStopped{stop->agent_id, stop->run_id});
      }
    }
  }
}

std::vector<BeadId> MergeLane::merge(const std::vector<TrialRequest>& requests, const std::vector<BeadId>& on,
                                     std::vector<events::TrialConflict>& conflicts) const {
  std::vector<BeadId> merged;
  const auto there = [&](const BeadId& id) {
    return landed_.contains(id) || std::count(on.begin(), on.end(), id) + std::count(merged.begin(), merged.end(), id);
  };
  for (const TrialRequest& request : requests) {
    const bool conflicting = std::any_of(in_the_way_.begin(), in_the_way_.end(), [&](const auto& pair) {
      return pair.second == request.bead_id && there(pair.first);
    });
    if (conflicting)
      conflicts.push_back({request.bead_id, "in a.txt", merged.empty()});
    else
      merged.push_back(request.bead_id);
  }
  return merged;
}

/// The same merges make the same commit.
std::string MergeLane::commit_on(const std::string& base, const std::vector<BeadId>& merged) const {
  std::size_t hash = std::hash<std::string>()(base);
  for (const BeadId& id : merged) hash = hash * 31 + std::hash<std::string>()(id.text);
  return "merge-" + std::to_string(hash);
}

void MergeLane::start(const RunId& run) {
  const auto assignment = describe(town_, run);
  if (!assignment || assignment->kind != RunKind::review) return;
  tell(events::DispatchAccepted{run});
  if (assignment->preset != "refine") {
    ++reviews;
    Under& reading = under_way_[run];
    reading.review = true;
    reading.result.agent_id = assignment->agent.agent_id;
    reading.result.requests = {assignment->bead->bead_id};
    reading.at = now_ + minutes(10);
    return;
  }
  ++trials;
  if (!assignment->expected.empty()) ++trials_ahead;
  sizes.push_back(assignment->trial.size());
  Under under;
  under.care = assignment->care;
  events::TrialResult& result = under.result;
  result.agent_id = assignment->agent.agent_id;
  result.run_id = run;
  result.base = tip_;
  result.gate = "make test";
  if (!assignment->expected.empty()) {
    std::vector<events::TrialConflict> left_out;
    under.before = merge(assignment->expected, {}, left_out);
    result.base = commit_on(tip_, under.before);
  }
  for (const TrialRequest& request : assignment->trial) result.requests.push_back(request.bead_id);
  under.merged = merge(assignment->trial, under.before, result.conflicts);
  under_way_[run] = std::move(under);
}

/// Whoever waits for a lane gets one that is free, in the order in which they came.
void MergeLane::use_lanes() {
  auto used = std::count_if(under_way_.begin(), under_way_.end(),
                            [](const auto& known) { return known.second.at && !known.second.review; });
  for (auto& [run, under] : under_way_) {
    if (under.at || used == lanes) continue;
    ++used;
    const int before = gate_runs;
    if (std::any_of(under.merged.begin(), under.merged.end(), [&](const BeadId& id) { return poison_.contains(id); }))
      under.result.outcome = events::TrialOutcome::error;
    else if (under.merged.empty())
      under.result.outcome = events::TrialOutcome::conflict;
    else
      judge(under);
    under.result.duration_ms = gate_.ms * (gate_runs - before);
    under.at = now_ + Duration{under.result.duration_ms};
  }
}

bool MergeLane::gates_pass(const Under& under, const std::vector<BeadId>& merged) {
  ++gate_runs;
  if (target_broken || random_.between(1, 10'000) <= static_cast<int>(flakes * 100)) return false;
  const auto there = [](const std::vector<BeadId>& list, const BeadId& id) {
    return std::count(list.begin(), list.end(), id) > 0;
  };
  const auto in = [&](const BeadId& id) {
    return landed_.contains(id) || there(merged, id) || there(under.before, id);
  };
  if (std::any_of(broken_.begin(), broken_.end(), [&](const BeadId& id) { return in(id); })) return false;
  return std::none_of(at_odds_.begin(), at_odds_.end(),
                      [&](const auto& pair) { return in(pair.first) && in(pair.second); });
}

/// What `town refine` does with the gates.
void MergeLane::judge(Under& under) {
  events::TrialResult& result = under.result;
  result.commit = commit_on(result.base, under.merged);
  result.outcome = events::TrialOutcome::green;
  if (gates_pass(under, under.merged)) return;
  if (under.care.retry_gate && gates_pass(under, under.merged)) {
    result.flaked = {result.gate};
    return;
  }
  result.outcome = events::TrialOutcome::red;
  if (!under.care.check_base && (result.requests.size() > 1 || result.base == under.care.sound)) return;
  result.base_checked = gates_pass(under, {});
  if (!result.base_checked) result.outcome = events::TrialOutcome::broken;
}

void MergeLane::land(const BeadId& head) {
  const Review* review = town_.review(head);
  if (!review || !review->verifying_since) return;
  if (review->base_commit != tip_)
    return tell(events::GitMergeResult{head, events::LandingAnswer::moved, {}, "the target has moved"});
  std::vector<BeadId> all = town_.links(head).members;
  all.push_back(head);
  if (std::any_of(all.begin(), all.end(), [&](const BeadId& id) { return wants_a_person_.contains(id); }))
    return tell(events::GitMergeResult{head, events::LandingAnswer::held, {}, "it changes .town", true});
  tip_ = review->claimed_commit;
  for (const BeadId& id : all) landed_[id] = now_;
  tell(events::GitMergeResult{head, events::LandingAnswer::landed, review->claimed_commit, {}});
}

}  // namespace townd::sim
