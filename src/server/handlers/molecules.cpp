#include <array>

#include "core/molecule.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/with_agent.hpp"

/// Work in steps: a person or program divides it, the agent at work says when a step is done.
namespace townd {
namespace {

static_assert(kStepsLimit == kMoleculeSteps);

json::object molecule_shape(const Town& town, const Bead& molecule) {
  json::object shape = bead_shape(town, molecule);
  json::array steps;
  for (const BeadId& id : steps_of(town, molecule.bead_id)) steps.push_back(bead_shape(town, *town.bead(id)));
  shape.emplace("source_bead_id", molecule.parent_bead_id.text);
  shape.emplace("total_steps", steps.size());
  shape.emplace("steps", std::move(steps));
  return shape;
}

void create_molecule(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    events::MoleculeCreated made;
    made.bead_id = BeadId(given.text("bead_id"));
    const Agent* agent = call->caller().role == kAgent ? view.town.agent(call->caller().agent) : nullptr;
    if (call->caller().role == kAgent && (!agent || agent->current_hook_bead_id != made.bead_id))
      return call->fail(Error::Code::forbidden, "a run's token divides its own bead only",
                        "name the bead on your hook: town prime --get hooked_bead.bead_id");
    const Bead* source = view.town.bead(made.bead_id);
    const std::string named = call->parameter("rig");
    const Rig* rig = find_rig(view.town, named);
    if (!named.empty() && !rig) return call->fail(no_rig(named));
    if (source && rig && source->rig_id != rig->rig_id)
      return call->fail(Error::Code::forbidden, "the bead belongs to another rig");
    const Arguments formula(given.value("formula").get_object());
    for (const Arguments& step : formula.objects("steps"))
      made.steps.push_back({step.text("title"), step.text("instructions")});
    made.created_by = call->actor();
    call->submit(std::move(made), [call](const Receipt& receipt) {
      const BeadId id(receipt.created.empty() ? "" : receipt.created.front());
      call->look([call, id, note = receipt.note](const Engine::View& after) {
        const Bead* molecule = after.town.bead(id);
        if (!molecule) return call->fail(Error::Code::conflict, "no molecule was made: " + note);
        call->succeed(molecule_shape(after.town, *molecule));
      });
    });
  });
}

Error no_step(const Agent& agent) {
  return Error{Error::Code::not_found, agent.name + " has no work that is done in steps",
               "go on with the whole of it; town mol create divides a bead"};
}

void show_step(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const auto step = step_of(view.town, agent.current_hook_bead_id);
    if (!step) return call->fail(no_step(agent));
    LateTexts texts;
    json::object shape = step_shape(*step, texts);
    call->succeed(std::move(shape), std::move(texts));
  });
}

/// Places count from 0, as the reference's do: the next step has the number of the steps that are done.
void advance(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const auto step = step_of(view.town, agent.current_hook_bead_id);
    if (!step) return call->fail(no_step(agent));
    json::object shape{{"moleculeId", step->molecule_id.text},
                       {"previousStep", step->number - 1},
                       {"currentStep", step->number},
                       {"totalSteps", step->of},
                       {"completed", step->number == step->of}};
    call->submit(events::MoleculeAdvanced{agent.agent_id, step->bead.bead_id, call->arguments().text("summary")},
                 [call, shape = std::move(shape)](const Receipt&) mutable { call->succeed(std::move(shape)); });
  });
}

constexpr std::array<NamedHandler, 3> kHandlers{{
    {"molecule.create", create_molecule},
    {"molecule.current", show_step},
    {"molecule.advance", advance},
}};

}  // namespace

std::span<const NamedHandler> molecule_handlers() { return kHandlers; }

}  // namespace townd
