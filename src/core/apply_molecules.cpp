#include "core/apply_event.hpp"
#include "core/molecule.hpp"

/// Molecules: an issue's work in steps. How they end when their issue or a step does is for the rules.
namespace townd::apply {

Result on(Change& change, const events::MoleculeCreated& e) {
  Town& town = change.town();
  const Bead* source = town.bead(e.bead_id);
  if (!source || terminal(source->status)) return noted(change, "no such bead, or it has ended");
  if (molecule_of(town, e.bead_id)) return noted(change, "it has a molecule already");
  const Priority priority = source->priority;
  Bead molecule;
  molecule.type = BeadType::molecule;
  molecule.title = source->title;
  molecule.parent_bead_id = e.bead_id;
  molecule.priority = priority;
  molecule.labels = {"gt:molecule"};
  molecule.created_by = e.created_by;
  const BeadId id = change.create(std::move(molecule));
  BeadId before;
  for (std::size_t i = 0; i < e.steps.size(); ++i) {
    Bead step;
    step.title = e.steps[i].title;
    step.parent_bead_id = id;
    step.priority = priority;
    step.labels = {"gt:molecule-step", "step:" + std::to_string(i)};
    step.created_by = e.created_by;
    const BeadId made = change.create(std::move(step), e.steps[i].body);
    if (before) town.put(Dependency{made, before, DependencyKind::blocks});
    before = made;
  }
  change.history(e.bead_id, "molecule_created", "", id.text);
  return applied();
}

Result on(Change& change, const events::MoleculeAdvanced& e) {
  Town& town = change.town();
  const Bead* step = town.bead(e.step_bead_id);
  if (!step || terminal(step->status)) return noted(change, "no such step, or it has ended");
  const BeadId molecule = step->parent_bead_id;
  change.set_status(e.step_bead_id, BeadStatus::closed);
  change.history(e.step_bead_id, "molecule_advanced", "", e.summary, e.agent_id);
  if (current_step(town, molecule).empty()) change.set_status(molecule, BeadStatus::closed);
  return applied();
}

}  // namespace townd::apply
