#include "town_of_size.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "core/tick.hpp"

namespace townd::bench {
namespace {

constexpr int kBeadsInRig = 100;
constexpr int kChain = 20;  ///< one in progress and 19 behind it: 5%

/// Hands out ids as a town does, and the two moments at which things happened.
struct Maker {
  Instant now;
  Instant created = now - hours(1);
  std::int64_t unused_id = 1;

  std::string next() { return "b-" + std::to_string(unused_id++); }
};

Rig make_rig(Maker& make) {
  Rig rig;
  rig.rig_id = RigId(make.next());
  rig.name = rig.rig_id.text;
  rig.git_url = "/repositories/" + rig.name;
  rig.created_at = make.created;
  rig.config.gates = {"make test"};
  return rig;
}

Bead make_issue(Maker& make, const RigId& rig) {
  Bead bead;
  bead.bead_id = BeadId(make.next());
  bead.title = "Change the greeting of " + bead.bead_id.text;
  bead.rig_id = rig;
  bead.status_since = bead.ready_since = bead.created_at = bead.updated_at = make.created;
  bead.created_by = "bench";
  return bead;
}

/// Puts an agent with a live run on an issue.
void set_to_work(TownImage& image, Maker& make, Bead& bead) {
  Agent agent;
  agent.agent_id = AgentId(make.next());
  agent.name = agent.agent_id.text;
  agent.identity = "polecat/" + agent.name;
  agent.rig_id = bead.rig_id;
  agent.status = AgentStatus::working;
  agent.status_since = agent.created_at = make.created;
  agent.current_hook_bead_id = bead.bead_id;
  agent.dispatch_attempts = 1;
  agent.last_dispatch_attempt_at = make.created;
  agent.last_activity_at = agent.last_event_at = make.now;
  agent.last_event_type = "tool_use";

  Run run;
  run.run_id = RunId(make.next());
  run.agent_id = agent.agent_id;
  run.bead_id = bead.bead_id;
  run.rig_id = bead.rig_id;
  run.state = RunState::running;
  run.requested_at = make.created;
  run.last_sign_at = make.now;
  run.preset = "script";
  agent.run_id = run.run_id;

  bead.status = BeadStatus::in_progress;
  bead.assignee_agent_bead_id = agent.agent_id;
  bead.dispatch_attempts = 1;
  bead.last_dispatch_attempt_at = make.created;
  bead.attempts_cap = 5;
  image.agents.push_back(agent);
  image.runs.push_back(run);
}

Bead closed(Bead bead) {
  bead.status = BeadStatus::closed;
  bead.closed_at = bead.created_at;
  return bead;
}

}  // namespace

TownImage image_of_size(int live, Instant now) {
  Maker make{now};
  TownImage image;
  RigId rig;
  BeadId before;
  for (int place = 0; place < live; ++place) {
    if (place % kBeadsInRig == 0) {
      image.rigs.push_back(make_rig(make));
      rig = image.rigs.back().rig_id;
    }
    Bead bead = make_issue(make, rig);
    if (place % kChain == 0)
      set_to_work(image, make, bead);
    else
      image.dependencies.push_back({bead.bead_id, before, DependencyKind::blocks});
    before = bead.bead_id;
    image.beads.push_back(std::move(bead));
  }
  for (int place = 0; place < live / 100; ++place) image.beads.push_back(closed(make_issue(make, rig)));

  image.town.town_id = TownId("b");
  image.town.name = "bench";
  image.town.prefix = "b";
  image.town.next_id = make.unused_id;
  image.town.node.slots = live;
  image.town.config.runs_per_day = live * 10;
  image.town.config.max_polecats = kBeadsInRig;
  image.town.config.polecat_preset = image.town.config.refinery_preset = "script";
  return image;
}

Town settled_town(int live) {
  static std::pair<int, Town> last{0, Town()};  // making a large one takes far longer than copying it
  if (last.first == live) return last.second;
  last.second = Town();
  Town town = town_of(image_of_size(live));
  for (const TickResult& result : tick_until_settled(town, {kNow, {}, {}, {}}))
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
