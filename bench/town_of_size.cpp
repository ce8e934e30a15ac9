#include "town_of_size.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "core/tick.hpp"

namespace townd::bench {
namespace {

constexpr int kBeadsInRig = 100;
constexpr int kChain = 20;  ///< one in progress and 19 behind it: 5%
constexpr Instant kCreated = kNow - hours(1);

/// Hands out ids as a town does.
class Ids {
 public:
  std::string next() { return "b-" + std::to_string(next_++); }
  [[nodiscard]] std::int64_t unused() const { return next_; }

 private:
  std::int64_t next_ = 1;
};

Rig make_rig(Ids& ids) {
  Rig rig;
  rig.rig_id = RigId(ids.next());
  rig.name = rig.rig_id.text;
  rig.git_url = "/repositories/" + rig.name;
  rig.created_at = kCreated;
  rig.config.gates = {"make test"};
  return rig;
}

Bead make_issue(Ids& ids, const RigId& rig) {
  Bead bead;
  bead.bead_id = BeadId(ids.next());
  bead.title = "Change the greeting of " + bead.bead_id.text;
  bead.rig_id = rig;
  bead.status_since = bead.ready_since = bead.created_at = bead.updated_at = kCreated;
  bead.created_by = "bench";
  return bead;
}

/// Puts an agent with a live run on an issue.
void set_to_work(TownImage& image, Ids& ids, Bead& bead) {
  Agent agent;
  agent.agent_id = AgentId(ids.next());
  agent.name = agent.agent_id.text;
  agent.identity = "polecat/" + agent.name;
  agent.rig_id = bead.rig_id;
  agent.status = AgentStatus::working;
  agent.status_since = agent.created_at = kCreated;
  agent.current_hook_bead_id = bead.bead_id;
  agent.dispatch_attempts = 1;
  agent.last_dispatch_attempt_at = kCreated;
  agent.last_activity_at = agent.last_event_at = kNow;
  agent.last_event_type = "tool_use";

  Run run;
  run.run_id = RunId(ids.next());
  run.agent_id = agent.agent_id;
  run.bead_id = bead.bead_id;
  run.rig_id = bead.rig_id;
  run.state = RunState::running;
  run.requested_at = kCreated;
  run.last_sign_at = kNow;
  run.preset = "script";
  agent.run_id = run.run_id;

  bead.status = BeadStatus::in_progress;
  bead.assignee_agent_bead_id = agent.agent_id;
  bead.dispatch_attempts = 1;
  bead.last_dispatch_attempt_at = kCreated;
  bead.attempts_cap = 5;
  image.agents.push_back(agent);
  image.runs.push_back(run);
}

Bead closed(Bead bead) {
  bead.status = BeadStatus::closed;
  bead.closed_at = kCreated;
  return bead;
}

}  // namespace

TownImage image_of_size(int live) {
  Ids ids;
  TownImage image;
  RigId rig;
  BeadId before;
  for (int place = 0; place < live; ++place) {
    if (place % kBeadsInRig == 0) {
      image.rigs.push_back(make_rig(ids));
      rig = image.rigs.back().rig_id;
    }
    Bead bead = make_issue(ids, rig);
    if (place % kChain == 0)
      set_to_work(image, ids, bead);
    else
      image.dependencies.push_back({bead.bead_id, before, DependencyKind::blocks});
    before = bead.bead_id;
    image.beads.push_back(std::move(bead));
  }
  for (int place = 0; place < live / 100; ++place) image.beads.push_back(closed(make_issue(ids, rig)));

  image.town.town_id = TownId("b");
  image.town.name = "bench";
  image.town.prefix = "b";
  image.town.next_id = ids.unused();
  image.town.node.slots = live;
  image.town.config.runs_per_day = live * 10;
  return image;
}

Town settled_town(int live) {
  static std::pair<int, Town> last{0, Town()};  // making a large one takes far longer than copying it
  if (last.first == live) return last.second;
  last.second = Town();
  Town town = town_of(image_of_size(live));
  for (const TickResult& result : tick_until_settled(town, {kNow, {}, {}}))
    if (!result.decisions.empty() || !result.violations.empty())
      throw std::logic_error("the benchmark's town is not settled");
  town.settle();
  last = {live, town};
  return town;
}

std::vector<AgentId> working_agents(const Town& town) {
  const std::vector<AgentId> all = town.agent_ids();
  constexpr std::size_t in_rig = kBeadsInRig / kChain;
  std::vector<AgentId> spread;
  spread.reserve(all.size());
  for (std::size_t first = 0; first < in_rig; ++first)
    for (std::size_t place = first; place < all.size(); place += in_rig) spread.push_back(all[place]);
  return spread;
}

}  // namespace townd::bench
