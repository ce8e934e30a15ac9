#include <map>

#include "core/rules/common.hpp"

/// C: convoys count their issues, become ready, land in each rig and close.
namespace townd {
namespace {

using namespace actions;

struct OpenConvoy {
  const Bead* bead = nullptr;
  const Convoy* convoy = nullptr;
  explicit operator bool() const { return bead && convoy; }
};

OpenConvoy open_convoy(const Town& town, const SubjectKey& key) {
  const Bead* bead = bead_of(town, key);
  if (!bead || bead->type != BeadType::convoy || bead->status != BeadStatus::open) return {};
  return {bead, town.convoy(bead->bead_id)};
}

bool lands(const Convoy& convoy) {
  return convoy.merge_mode == MergeMode::review_then_land && !convoy.feature_branch.empty();
}

/// What keeps a convoy from landing; none when all its issues are done.
Reason not_done(const Town& town, const OpenConvoy& c) {
  const BeadLinks& links = town.links(c.bead->bead_id);
  if (c.convoy->staged) return Reason::staged;
  if (has_label(*c.bead, "gt:held")) return Reason::held;
  if (links.tracked_issues == 0) return Reason::empty_convoy;
  if (links.terminal_issues < links.tracked_issues || links.reviews_in_flight > 0) return Reason::children_live;
  if (links.failed_issues > 0 && c.convoy->on_failed_child == OnFailedChild::hold) return Reason::failed_child;
  return Reason::none;
}

Decision progress(const Town& town, const SubjectKey& key, Instant) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c) return not_concerned();
  const int done = town.links(c.bead->bead_id).terminal_issues;
  if (done == c.convoy->closed_beads) return not_concerned();
  return act(UpdateConvoyProgress{c.bead->bead_id, done});
}

Decision ready_to_land(const Town& town, const SubjectKey& key, Instant) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c || !lands(*c.convoy)) return not_concerned();
  const Reason why_not = not_done(town, c);
  const bool done = why_not == Reason::none;
  if (done != c.convoy->ready_to_land) return act(SetConvoyReadyToLand{c.bead->bead_id, done});
  return done ? not_concerned() : Hold{why_not};
}

/// The newest landing request of each rig that the convoy's issues are in, or null, in rig order.
std::map<RigId, const Bead*> landings(const Town& town, const BeadId& convoy) {
  std::map<RigId, const Bead*> newest;
  for (const BeadId& id : town.links(convoy).tracked_by) {
    const Bead* bead = town.bead(id);
    if (bead && bead->type == BeadType::issue && bead->rig_id) newest.emplace(bead->rig_id, nullptr);
  }
  for (const BeadId& id : town.links(convoy).requests) {
    const Bead* bead = town.bead(id);
    if (!bead) continue;
    const auto place = newest.find(bead->rig_id);
    if (place != newest.end() && (!place->second || bead->created_at >= place->second->created_at))
      place->second = bead;
  }
  return newest;
}

bool merged_in(const Town& town, const BeadId& convoy, const RigId& rig) {
  const auto& requests = town.links(convoy).requests;
  return std::any_of(requests.begin(), requests.end(), [&](const BeadId& id) {
    const Bead* bead = town.bead(id);
    const Review* review = town.review(id);
    return bead && review && bead->rig_id == rig && review->result == ReviewResult::merged;
  });
}

Decision land(const Town& town, const SubjectKey& key, Instant) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c || !lands(*c.convoy) || !c.convoy->ready_to_land) return not_concerned();
  for (const auto& [rig, newest] : landings(town, c.bead->bead_id))
    if (!merged_in(town, c.bead->bead_id, rig)) return Hold{Reason::landing_live};
  return act(CloseConvoy{c.bead->bead_id});
}

LandingAttempts attempts_in(const Convoy& convoy, const RigId& rig) {
  for (const LandingAttempts& landing : convoy.landings)
    if (landing.rig_id == rig) return landing;
  return {rig, 0, {}, 0};
}

bool awaits_approval(const Town& town, const Bead* newest) {
  const Review* review = newest ? town.review(newest->bead_id) : nullptr;
  return review && newest->status == BeadStatus::failed && review->awaiting_approval;
}

Decision create_landing(const Town& town, const SubjectKey& key, Instant now) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c || !lands(*c.convoy) || !c.convoy->ready_to_land) return not_concerned();
  const Constants& constants = town.constants();
  Instant due = kNever;
  for (const auto& [rig_id, newest] : landings(town, c.bead->bead_id)) {
    if (merged_in(town, c.bead->bead_id, rig_id) || (newest && !terminal(newest->status))) continue;
    if (awaits_approval(town, newest)) continue;
    const LandingAttempts landing = attempts_in(*c.convoy, rig_id);
    if (landing.attempts >= constants.landing_attempts)
      return act(FailConvoy{c.bead->bead_id, "landing_mr_exhausted",
                            "landing was tried " + std::to_string(landing.attempts) + " times"});
    const Duration pause = std::min(constants.landing_backoff * (std::int64_t{1} << std::min(landing.attempts, 20)),
                                    constants.landing_backoff_max);
    if (landing.attempts > 0 && landing.last_attempt_at && now - *landing.last_attempt_at < pause) {
      due = std::min(due, *landing.last_attempt_at + pause);
      continue;
    }
    const Rig* rig = town.rig(rig_id);
    if (!rig) continue;
    return act(CreateLandingMr{c.bead->bead_id, rig_id, c.convoy->feature_branch, target_of(*rig)});
  }
  if (due != kNever) return Wait{due, Reason::landing_backoff};
  return Hold{Reason::landing_live};
}

Decision suppressed(const Town& town, const SubjectKey& key, Instant) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c || !lands(*c.convoy) || !c.convoy->ready_to_land) return not_concerned();
  bool any = false;
  for (const auto& [rig_id, newest] : landings(town, c.bead->bead_id)) {
    if (merged_in(town, c.bead->bead_id, rig_id) || !awaits_approval(town, newest)) continue;
    any = true;
    const LandingAttempts landing = attempts_in(*c.convoy, rig_id);
    if (landing.suppressed_attempt != landing.attempts + 1)
      return act(EmitEvent{"reconciler.respawn_suppressed", c.bead->bead_id, rig_id, landing.attempts + 1});
  }
  return any ? Decision(Hold{Reason::respawn_suppressed}) : not_concerned();
}

Decision close(const Town& town, const SubjectKey& key, Instant) {
  const OpenConvoy c = open_convoy(town, key);
  if (!c) return not_concerned();
  const BeadLinks& links = town.links(c.bead->bead_id);
  const Reason why_not = not_done(town, c);
  const bool failed_child = links.failed_issues > 0 && c.convoy->on_failed_child == OnFailedChild::fail;
  if (why_not == Reason::none && failed_child)
    return act(FailConvoy{c.bead->bead_id, "child_failed", "a piece of its work failed"});
  if (lands(*c.convoy)) return not_concerned();
  if (why_not != Reason::none) return Hold{why_not};
  if (links.failed_issues == links.tracked_issues)
    return act(FailConvoy{c.bead->bead_id, "no_child_closed", "none of its work was done"});
  return act(CloseConvoy{c.bead->bead_id});
}

constexpr Rule kRules[] = {
    {"convoys.progress", Stage::convoys, kActs, progress, "a convoy's count of finished issues is brought up to date"},
    {"convoys.close", Stage::convoys, kActs | kHolds, close,
     "a convoy without a feature branch closes when its issues are done"},
    {"convoys.ready", Stage::convoys, kActs | kHolds, ready_to_land,
     "a convoy with a feature branch is ready to land when all its issues are done"},
    {"convoys.land", Stage::convoys, kActs | kHolds, land, "a convoy whose landing is merged in every rig closes"},
    {"convoys.create_landing", Stage::convoys, kActs | kWaits | kHolds, create_landing,
     "a ready convoy gets a landing request in each rig, with back-off, at most 5 times"},
    {"convoys.suppressed", Stage::convoys, kActs | kHolds, suppressed,
     "no new landing request while the failed one waits for an approval"},
};

}  // namespace

std::span<const Rule> convoy_rules() { return kRules; }

}  // namespace townd
