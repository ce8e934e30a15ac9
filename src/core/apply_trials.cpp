#include <algorithm>

#include "core/apply_event.hpp"
#include "core/merge_queue.hpp"

/// What came of merging and gating requests together (domain.md §6, trial), and what the merge queue learns from it.
namespace townd::apply {
namespace {

using events::TrialOutcome;

constexpr std::size_t kToldOutput = 2'000;  // bytes of a gate's output in an escalation

/// What tests say last, from a whole character on.
std::string end_of(const std::string& output) {
  if (output.size() <= kToldOutput) return output;
  std::size_t begin = output.size() - kToldOutput;
  while (begin < output.size() && (static_cast<unsigned char>(output[begin]) & 0xc0) == 0x80) ++begin;
  return "…" + output.substr(begin);
}

class Trial {
 public:
  Trial(Change& change, const events::TrialResult& result)
      : change_(change), result_(result), target_(change.town().review(result.requests.front())->target_branch) {
    for (const BeadId& id : result.requests)
      if (!conflict_of(id)) merged_.push_back(id);
    // Without a base nothing was tried: the work could not be taken over, and no agent was started.
    if (result.base.empty()) return;
    if (const Rig* rig = change.town().rig(change.town().bead(head())->rig_id)) queue_ = rig->queue;
    ++queue_.without_landing;
    if (result.duration_ms > 0)
      queue_.trial_ms = queue_.trial_ms == 0 ? result.duration_ms : (3 * queue_.trial_ms + result.duration_ms) / 4;
    for (const std::string& gate : result.flaked) {
      count_red(queue_, gate);
      count_flake(queue_, gate);
    }
  }

  void green() {
    if (merged_.empty()) return conflict();
    if (!town().review(head())->pr_url.empty()) return approve_pr();
    change_.break_up(head());
    take_out_conflicts();
    for (const BeadId& id : merged_) {
      Review review = *town().review(id);
      review.verdict = Verdict::approved;
      if (id != merged_.front()) review.batch_head = merged_.front();
      town().put(std::move(review));
      if (const std::string gate = acquit(queue_, target_, id); !gate.empty()) count_flake(queue_, gate);
    }
    Review landing = *town().review(merged_.front());
    landing.base_commit = result_.base;
    landing.claimed_commit = result_.commit;
    landing.trial_run_id = result_.run_id;
    landing.verifying_since = change_.now();
    landing.verify_tries = 0;
    landing.last_verify_at.reset();
    town().put(std::move(landing));
    count_judged(queue_, static_cast<int>(merged_.size()), 0);
    queue_.blamed = 0;
    queue_.paused_since.reset();
    queue_.paused_reason.clear();
    end_run();
  }

  /// Of several one at least is to blame, and halving finds out which.
  void red() {
    const std::string feedback = "The gate failed: " + result_.gate + "\n\n" + result_.output;
    count_red(queue_, result_.gate);
    if (result_.requests.size() == 1) return blame_the_only_one(feedback);
    for (const BeadId& id : change_.break_up(head()))
      if (!conflict_of(id)) change_.back_to_queue(id);
    take_out_conflicts();
    suspect(queue_, {target_, result_.gate, merged_});
    end_run();
  }

  void conflict() {
    if (result_.requests.size() == 1)
      return blame_the_only_one("The work cannot be merged into its target.\n\n" + result_.output);
    change_.break_up(head());
    take_out_conflicts();
    for (const BeadId& id : merged_) change_.back_to_queue(id);
    end_run();
  }

  /// Made on top of a trial whose end is not known: whatever went wrong may be that one's fault.
  bool in_vain() {
    const Rig* rig = town().rig(town().bead(head())->rig_id);
    const bool usable = result_.outcome == TrialOutcome::green && !conflict_of(head());
    if (usable || !rig || rig->queue.ahead.head != head()) return false;
    for (const BeadId& id : change_.break_up(head())) change_.back_to_queue(id);
    end_run();
    return true;
  }

  void broken() {
    for (const BeadId& id : change_.break_up(head())) change_.back_to_queue(id);
    count_red(queue_, result_.gate);
    stop_queue("the gate fails on " + target_ + " itself: " + result_.gate);
    end_run();
  }

  /// What the queue has learned goes into the rig's row, and a queue that gets nowhere is paused.
  void end() {
    const RigId rig_id = town().bead(head())->rig_id;
    if (result_.base.empty() || !town().rig(rig_id)) return;
    if (queue_.without_landing >= kFruitlessTrials && !queue_.paused_since)
      stop_queue(std::to_string(queue_.without_landing) + " trials in a row landed nothing on " + target_);
    Rig rig = *town().rig(rig_id);
    queue_.ahead = rig.queue.ahead;
    rig.queue = std::move(queue_);
    town().put(std::move(rig));
  }

 private:
  /// Proven to merge and to pass its gates; the forge's checks and its people have the rest of the say.
  void approve_pr() {
    change_.approve_pr(head(), result_.gate, AgentId{});
    target_is_sound(queue_, "");
    end_run();
  }

  Town& town() { return change_.town(); }
  [[nodiscard]] const BeadId& head() const { return result_.requests.front(); }

  [[nodiscard]] const events::TrialConflict* conflict_of(const BeadId& id) const {
    const auto found = std::find_if(result_.conflicts.begin(), result_.conflicts.end(),
                                    [&](const events::TrialConflict& c) { return c.bead_id == id; });
    return found == result_.conflicts.end() ? nullptr : &*found;
  }

  /// Those that conflict with the target are sent back, those in one another's way try again when the others have
  /// landed.
  void take_out_conflicts() {
    for (const events::TrialConflict& conflict : result_.conflicts) {
      if (conflict.its_own) {
        change_.send_back(conflict.bead_id, "The work cannot be merged into its target.\n\n" + conflict.output, {});
        count_judged(queue_, 1, 1);
      }
      leave(queue_, target_, conflict.bead_id);
      change_.back_to_queue(conflict.bead_id);
    }
  }

  void blame_the_only_one(const std::string& feedback) {
    change_.sign_off(result_.run_id);
    change_.send_back(head(), feedback, {});
    if (never_began()) change_.end_run(result_.run_id, Outcome::changes_requested, result_.gate);
    change_.set_status(head(), BeadStatus::open);
    change_.let_go(result_.agent_id);
    count_judged(queue_, 1, 1);
    if (result_.base_checked) target_is_sound(queue_, result_.base);
    ++queue_.blamed;
    if (const Suspects* suspects = suspects_of(queue_, target_);
        suspects && std::count(suspects->requests.begin(), suspects->requests.end(), head()) > 0)
      suspect(queue_, {target_, "", {}});  // found; the others are no more suspicious than anybody
  }

  bool never_began() { return result_.base.empty() && town().run(result_.run_id)->state == RunState::requested; }

  void end_run() {
    if (never_began())
      change_.end_run(result_.run_id, Outcome::done, result_.gate);
    else
      change_.settle_run(result_.run_id, Outcome::done);
    change_.let_go(result_.agent_id);
  }

  void stop_queue(std::string reason) {
    pause(queue_, change_.now(), reason);
    if (const Bead* asked = town().bead(queue_.escalation); asked && !terminal(asked->status)) return;
    Escalation escalation;
    escalation.severity = Priority::high;
    escalation.category = "merge_queue_paused";
    escalation.message = reason + "\n\n" + end_of(result_.output);
    escalation.source = town().review(head())->source_bead_id;
    queue_.escalation =
        change_.escalate(std::move(escalation), town().bead(head())->rig_id, "Merge queue paused: " + reason);
  }

  Change& change_;
  const events::TrialResult& result_;
  const std::string target_;
  std::vector<BeadId> merged_;
  MergeQueue queue_;
};

/// The requests that the run is about, or not any more.
bool is_the_batch(const Town& town, const events::TrialResult& e) {
  for (auto conflict = e.conflicts.begin(); conflict != e.conflicts.end(); ++conflict) {
    if (std::count(e.requests.begin(), e.requests.end(), conflict->bead_id) != 1) return false;
    for (auto other = e.conflicts.begin(); other != conflict; ++other)
      if (other->bead_id == conflict->bead_id) return false;
  }
  std::vector<BeadId> tried(e.requests.begin() + 1, e.requests.end());
  std::sort(tried.begin(), tried.end());
  return tried == town.links(e.requests.front()).members;
}

}  // namespace

Result on(Change& change, const events::TrialResult& e) {
  Town& town = change.town();
  const Agent* agent = town.agent(e.agent_id);
  if (!agent) return noted(change, "no such agent");
  if (e.requests.empty()) return noted(change, "a trial of nothing");
  const BeadId id = e.requests.front();
  const Bead* request = town.bead(id);
  const Run* run = town.run(e.run_id);
  if (!request || !town.review(id) || terminal(request->status)) return noted(change, "the request has ended");
  if (!run || run->bead_id != id || run->agent_id != e.agent_id) return noted(change, "not a trial of this request");
  if (run->outcome) return noted(change, "the trial has been reported");
  // Others than `town refine` judge the work; what they say of gates is no proof.
  const bool by_refine = run->preset.empty() || run->preset == "refine";
  if (!by_refine && (!e.base.empty() || e.outcome == TrialOutcome::green))
    return noted(change, "only town refine makes trials");
  if (agent->run_id != e.run_id || agent->current_hook_bead_id != id) return noted(change, "a trial of an earlier run");
  if (!is_the_batch(town, e)) return noted(change, "a trial of other requests than these");
  change.history(id, "trial", "", to_string(e.outcome), e.agent_id);
  if (e.outcome == TrialOutcome::error) change.history(id, "trial_error", "", e.output, e.agent_id);
  if (Trial trial(change, e); trial.in_vain()) return applied();
  if (e.outcome == TrialOutcome::error) {
    // Of several perhaps one is the cause, which only shows when it is alone; that is no failure of the run.
    change.settle_run(e.run_id, e.requests.size() > 1 ? Outcome::done : Outcome::crashed);
    change.halve(id, "");
    return applied();
  }
  Trial trial(change, e);
  switch (e.outcome) {
    case TrialOutcome::green: trial.green(); break;
    case TrialOutcome::red: trial.red(); break;
    case TrialOutcome::conflict: trial.conflict(); break;
    case TrialOutcome::broken: trial.broken(); break;
    case TrialOutcome::error: break;
  }
  trial.end();
  return applied();
}

}  // namespace townd::apply
