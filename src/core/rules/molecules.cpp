#include "core/molecule.hpp"
#include "core/rules/common.hpp"

/// Molecules and their steps end with what they belong to: nothing of them outlives its issue.
namespace townd {
namespace {

using namespace actions;

/// Closed with what was closed; failed with what failed or is gone.
BeadStatus end_with(const Bead* ended) {
  return ended && ended->status == BeadStatus::closed ? BeadStatus::closed : BeadStatus::failed;
}

Decision step_over(const Town& town, const SubjectKey& key, Instant) {
  const Bead* bead = bead_of(town, key);
  if (!bead || terminal(bead->status) || !molecule_step(town, *bead)) return not_concerned();
  const Bead* parent = town.bead(bead->parent_bead_id);
  const bool orphan = !parent && !bead->parent_bead_id.empty();
  if (orphan || (parent && parent->type == BeadType::molecule && terminal(parent->status)))
    return act(TransitionBead{bead->bead_id, bead->status, end_with(parent), "its molecule has ended"});
  return Hold{first_blocker(town, bead->bead_id).empty() ? Reason::molecule_step : Reason::blocked};
}

Decision end(const Town& town, const SubjectKey& key, Instant) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::molecule || terminal(bead->status)) return not_concerned();
  const auto to = [&](BeadStatus status, const char* why) {
    return act(TransitionBead{bead->bead_id, bead->status, status, why});
  };
  const Bead* source = town.bead(bead->parent_bead_id);
  if (!bead->parent_bead_id.empty() && (!source || terminal(source->status)))
    return to(end_with(source), "the work it divides has ended");
  for (const BeadId& id : steps_of(town, bead->bead_id))
    if (town.bead(id)->status == BeadStatus::failed) return to(BeadStatus::failed, "one of its steps failed");
  if (current_step(town, bead->bead_id).empty()) return to(BeadStatus::closed, "all its steps are done");
  return Hold{Reason::steps_open};
}

constexpr Rule kRules[] = {
    {"molecules.step", Stage::issues, kActs | kHolds, step_over, "a step ends with its molecule; nobody is sent to it"},
    {"molecules.end", Stage::molecules, kActs | kHolds, end,
     "a molecule ends with its work, when a step fails, and when all its steps are done"},
};

}  // namespace

std::span<const Rule> molecule_rules() { return kRules; }

}  // namespace townd
