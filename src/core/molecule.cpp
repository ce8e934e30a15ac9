#include "core/molecule.hpp"

namespace townd {
namespace {

bool a_molecule(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead && bead->type == BeadType::molecule;
}

bool live(const Town& town, const BeadId& id) {
  const Bead* bead = town.bead(id);
  return bead && !terminal(bead->status);
}

}  // namespace

bool molecule_step(const Town& town, const Bead& bead) {
  return bead.type == BeadType::issue && (has_label(bead, "gt:molecule-step") || a_molecule(town, bead.parent_bead_id));
}

std::vector<BeadId> steps_of(const Town& town, const BeadId& molecule) {
  std::vector<BeadId> steps;
  for (const BeadId& id : town.links(molecule).children)
    if (town.bead(id)->type == BeadType::issue) steps.push_back(id);
  return steps;
}

BeadId molecule_of(const Town& town, const BeadId& issue) {
  for (const BeadId& id : town.links(issue).children)
    if (a_molecule(town, id) && live(town, id)) return id;
  return {};
}

BeadId current_step(const Town& town, const BeadId& molecule) {
  for (const BeadId& id : steps_of(town, molecule))
    if (live(town, id)) return id;
  return {};
}

}  // namespace townd
