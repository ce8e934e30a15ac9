#include "server/with_agent.hpp"

#include "server/find.hpp"

namespace townd {

void with_agent(const CallPtr& call, std::function<void(const Engine::View&, const Agent&)> use) {
  call->look([call, use = std::move(use)](const Engine::View& view) {
    const Agent* agent = find_agent(view.town, call->parameter("agent"));
    const std::string named = call->parameter("rig");
    const Rig* rig = find_rig(view.town, named);
    if (agent && (named.empty() || (rig && agent->rig_id == rig->rig_id))) return use(view, *agent);
    call->fail(no_agent(call->parameter("agent")));
  });
}

}  // namespace townd
