#include "server/run_access.hpp"

#include <optional>

#include "server/find.hpp"

namespace townd {
namespace {

Error forbidden(std::string what, std::string hint = {}) {
  return Error{Error::Code::forbidden, std::move(what), std::move(hint)};
}

/// The path's rig, bead and agent belong to the caller's rig; of what does not exist the handler says so.
std::optional<Error> outside_its_rig(const Call& call, const Town& town, const Caller& caller) {
  const std::string named = call.parameter("rig");
  if (!named.empty() && named != caller.rig.text) {
    const Rig* rig = find_rig(town, named);
    if (!rig || rig->rig_id != caller.rig) return forbidden("this run belongs to another rig");
  }
  const Bead* bead = town.bead(call.bead());
  if (bead && bead->rig_id != caller.rig) return forbidden("the bead belongs to another rig");
  const Agent* agent = find_agent(town, call.parameter("agent"));
  if (agent && agent->rig_id != caller.rig) return forbidden("the agent belongs to another rig");
  return std::nullopt;
}

std::optional<Error> refused(const Call& call, const Town& town, const Caller& caller) {
  const Operation& operation = call.operation();
  if ((operation.roles & caller.role) == 0)
    return forbidden(std::string("a run of the role ") + std::string(to_string(caller.role)) + " may not call " +
                     operation.name);
  if (operation.scope == Scope::self && call.parameter("agent") != caller.agent.text)
    return forbidden("a run's token speaks for its own agent only");
  if (caller.role == kAgent && operation.scope != Scope::town) return outside_its_rig(call, town, caller);
  return std::nullopt;
}

}  // namespace

void check_run(const CallPtr& call, std::function<void()> proceed) {
  Caller caller = call->caller();
  const TownId named = call->town();
  if (!named.empty() && named != caller.town) return call->fail(forbidden("this run belongs to another town"));
  const auto seen = [call, caller, proceed = std::move(proceed)](const Engine::View& view) mutable {
    const Run* run = view.town.run(caller.run);
    const bool over = !run || run->state == RunState::ended;
    const bool late = run && run->ended_at && view.now - *run->ended_at <= view.town.constants().late_done;
    if (over && !(late && call->operation().after_end))
      return call->respond(failure(401, "the run " + caller.run.text + " has ended, and its token with it",
                                   "a run that has ended can only hand in what it did, for 24 hours"));
    caller.role = run->kind == RunKind::mayor ? kMayor : kAgent;
    caller.rig = run->rig_id;
    if (const auto error = refused(*call, view.town, caller)) return call->fail(*error);
    call->set_caller(caller);
    if (call->direct())
      proceed();
    else
      call->background(proceed);
  };
  call->look_at(caller.town, seen);
}

}  // namespace townd
