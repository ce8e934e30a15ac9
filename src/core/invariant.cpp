#include "core/invariant.hpp"

#include <algorithm>
#include <map>

#include "core/molecule.hpp"

namespace townd {
namespace {

class Checker {
 public:
  explicit Checker(const Town& town) : town_(town) {}

  void bead(const BeadId& id) {
    const Bead* bead = town_.bead(id);
    if (!bead) return;
    if (terminal(bead->status) != bead->closed_at.has_value())
      found(1, id.text, "its status is " + std::string(to_string(bead->status)) + ", but closed_at says otherwise");
    if (bead->type == BeadType::convoy && bead->status != BeadStatus::open && !terminal(bead->status))
      found(5, id.text, "a convoy is " + std::string(to_string(bead->status)));
    if (town_.links(id).hooked.size() > 1) found(6, id.text, "more than one agent holds it");
    if (!terminal(bead->status) && bead->attempts_cap > 0 && bead->dispatch_attempts > bead->attempts_cap)
      found(10, id.text, "it was dispatched more often than allowed");
    int live_runs = 0;
    for (const RunId& run : town_.links(id).runs) live_runs += town_.run(run)->state != RunState::ended ? 1 : 0;
    if (live_runs > 1) found(11, id.text, "more than one run on it is live");
    for (const AgentId& agent : town_.links(id).hooked) this->agent(agent);
  }

  void agent(const AgentId& id) {
    const Agent* agent = town_.agent(id);
    if (!agent || agent->role == AgentRole::mayor) return;
    if (agent->status == AgentStatus::working && agent->current_hook_bead_id.empty())
      found(7, id.text, "it works, but holds no bead");
    const Bead* bead = town_.bead(agent->current_hook_bead_id);
    if (!bead) return;
    if (bead->rig_id != agent->rig_id) found(8, id.text, "it holds a bead of another rig");
    if ((bead->type == BeadType::merge_request) != (agent->role == AgentRole::refinery))
      found(8, id.text, "it holds a bead that is not for its role");
    if (town_.links(bead->bead_id).hooked.size() > 1) found(6, bead->bead_id.text, "more than one agent holds it");
  }

  void review(const BeadId& id) {
    const Review* review = town_.review(id);
    if (!review) return;
    if (review->result == ReviewResult::merged && review->evidence.empty())
      found(12, id.text, "it counts as merged without evidence");
    const Bead* bead = town_.bead(id);
    if (bead && bead->rig_id) alone_at_refinery(bead->rig_id, *review);
  }

  void convoy(const BeadId& id) {
    const Convoy* convoy = town_.convoy(id);
    const Bead* bead = town_.bead(id);
    if (!convoy || !bead) return;
    if (bead->status == BeadStatus::open && !convoy->staged && convoy->closed_beads > convoy->total_beads)
      found(10, id.text, "more issues are finished than it has");
  }

  /// 3: one batch without a pull request at the refinery for each target, and one that is tried on top of it.
  void alone_at_refinery(const RigId& rig, const Review& review) {
    const auto& reviewing = town_.index(rig).reviewing;
    if (!reviewing.contains(review.bead_id) || !at_refinery(review)) return;
    for (const BeadId& id : reviewing) {
      const Review* other = town_.review(id);
      if (!other || other->target_branch != review.target_branch || head_of(*other) == head_of(review)) continue;
      if (on_top(rig, head_of(review), head_of(*other)) || on_top(rig, head_of(*other), head_of(review))) continue;
      if (at_refinery(*other)) found(3, review.bead_id.text, "it is at the refinery together with " + id.text);
    }
  }

  void waits(const Dependency& edge) {
    if (edge.kind != DependencyKind::blocks || !town_.has(edge)) return;
    if (!cycle_by(town_, edge.bead_id, edge.depends_on_bead_id).empty())
      found(9, edge.bead_id.text, "it waits for itself by way of " + edge.depends_on_bead_id.text);
  }

  std::vector<Violation> take() { return std::move(violations_); }

 private:
  [[nodiscard]] bool on_top(const RigId& rig, const BeadId& head, const BeadId& of) const {
    const Rig* row = town_.rig(rig);
    return row && row->queue.ahead.head == head && row->queue.ahead.of == of;
  }
  static BeadId head_of(const Review& review) { return review.batch_head ? review.batch_head : review.bead_id; }
  [[nodiscard]] bool at_refinery(const Review& review) const {
    return !town_.links(review.bead_id).hooked.empty() || (review.verifying_since && !review.held_alone);
  }

  void found(int invariant, const std::string& subject, std::string message) {
    for (const Violation& known : violations_)
      if (known.invariant == invariant && known.subject == subject) return;
    violations_.push_back({invariant, subject, std::move(message), ""});
  }

  const Town& town_;
  std::vector<Violation> violations_;
};

Dependency edge_of(const std::string& key) {
  const auto first = key.find('\x1f'), second = key.rfind('\x1f');
  return {BeadId(key.substr(0, first)), BeadId(key.substr(first + 1, second - first - 1)),
          key.substr(second + 1) == "blocks" ? DependencyKind::blocks : DependencyKind::tracks};
}

}  // namespace

std::vector<BeadId> cycle_by(const Town& town, const BeadId& bead, const BeadId& on) {
  if (bead == on) return {on, on};
  std::map<BeadId, BeadId> came_from{{on, BeadId{}}};
  std::vector<BeadId> open{on};
  while (!open.empty()) {
    const BeadId at = open.back();
    open.pop_back();
    const BeadLinks& around = town.links(at);
    std::vector<BeadId> next = around.blockers;
    if (around.live_requests > 0) next.insert(next.end(), around.requests.begin(), around.requests.end());
    // A step waits for the agent of its issue, and with that for whatever the issue waits for.
    if (const Bead* part = town.bead(at); part && (part->type == BeadType::molecule || molecule_step(town, *part)))
      next.push_back(part->parent_bead_id);
    for (const BeadId& to : next) {
      const Bead* waits = town.bead(to);
      if (!waits || terminal(waits->status) || !came_from.emplace(to, at).second) continue;
      if (to != bead) {
        open.push_back(to);
        continue;
      }
      std::vector<BeadId> cycle{on};
      for (BeadId step = bead; !step.empty(); step = came_from[step]) cycle.push_back(step);
      std::reverse(cycle.begin(), cycle.end());
      return cycle;
    }
  }
  return {};
}

std::vector<Violation> check_rows(const Town& town, const std::vector<RowKey>& changed) {
  Checker checker(town);
  for (const RowKey& key : changed) {
    switch (key.table) {
      case RowKey::Table::bead:
        checker.bead(BeadId(key.key));
        checker.review(BeadId(key.key));
        break;
      case RowKey::Table::agent: checker.agent(AgentId(key.key)); break;
      case RowKey::Table::run:
        if (const Run* run = town.run(RunId(key.key))) checker.bead(run->bead_id);
        break;
      case RowKey::Table::review: checker.review(BeadId(key.key)); break;
      case RowKey::Table::convoy: checker.convoy(BeadId(key.key)); break;
      case RowKey::Table::dependency: checker.waits(edge_of(key.key)); break;
      default: break;
    }
  }
  return checker.take();
}

std::vector<Violation> check_all_rows(const Town& town) {
  Checker checker(town);
  for (const BeadId& id : town.bead_ids()) {
    checker.bead(id);
    checker.review(id);
    checker.convoy(id);
  }
  for (const AgentId& id : town.agent_ids()) checker.agent(id);
  return checker.take();
}

std::vector<Violation> check_everything(const Town& town, Instant now) {
  std::vector<Violation> found = check_all_rows(town);
  Checker checker(town);
  for (const Dependency& edge : town.dependencies()) checker.waits(edge);
  (void)now;
  for (Violation& violation : checker.take()) found.push_back(std::move(violation));
  return found;
}

}  // namespace townd
