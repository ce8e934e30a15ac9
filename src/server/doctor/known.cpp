#include "server/doctor/known.hpp"

#include "git/layout.hpp"

namespace townd::doctor {

void Known::add(const Town& town) {
  const TownId id = town.row().town_id;
  towns.insert(id);
  const std::size_t first = rigs.size();
  for (const RigId& rig_id : town.rig_ids()) {
    const Rig& rig = *town.rig(rig_id);
    rigs.push_back({id, rig, {target_of(rig), rig.default_branch}, strategy_of(town, rig) == Strategy::pr});
  }
  // A convoy's branch is made in each rig that it has work in.
  const auto name_branch = [&](const RigId& rig_id, const std::string& branch) {
    for (std::size_t i = first; i < rigs.size(); ++i)
      if (rig_id.empty() || rigs[i].rig.rig_id == rig_id) rigs[i].branches.insert(branch);
  };
  const auto need_branch = [&](const Convoy& convoy, Instant since) {
    for (const BeadId& tracked : town.links(convoy.bead_id).tracked_by)
      for (std::size_t i = first; i < rigs.size(); ++i)
        if (const Bead* bead = town.bead(tracked); bead != nullptr && rigs[i].rig.rig_id == bead->rig_id)
          rigs[i].convoys.insert_or_assign(convoy.feature_branch, since);
  };
  for (const BeadId& bead_id : town.bead_ids()) {
    const Bead& bead = *town.bead(bead_id);
    const RigId& rig_id = bead.rig_id;
    if (const Convoy* convoy = town.convoy(bead_id)) {
      name_branch({}, convoy->feature_branch);
      if (!terminal(bead.status) && convoy->merge_mode == MergeMode::review_then_land &&
          !convoy->feature_branch.empty())
        need_branch(*convoy, bead.created_at);
    }
    if (const Review* review = town.review(bead_id))
      for (const std::string& branch : {review->branch, review->target_branch}) name_branch(rig_id, branch);
  }
  for (const RunId& run_id : town.run_ids()) {
    const Run& run = *town.run(run_id);
    if (run.state != RunState::ended) name_branch(run.rig_id, run.branch);
    runs.insert_or_assign(git::path_part(run_id.text), OfRun{id, run});
  }
}

bool Known::over(const std::string& run_part, Duration patience, Instant now) const {
  const auto found = runs.find(run_part);
  if (found == runs.end()) return true;
  return found->second.run.state == RunState::ended && stale(found->second.run.ended_at, patience, now);
}

}  // namespace townd::doctor
