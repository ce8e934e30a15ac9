#include "forge/local.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/town.hpp"
#include "forge/collect.hpp"
#include "forge/landing.hpp"
#include "forge/rig_source.hpp"
#include "git/clone.hpp"
#include "git/fetch.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"

namespace townd {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

LocalForge::LocalForge(git::Program git, std::string data, std::unique_ptr<Hosts> hosts)
    : git_(std::move(git)), data_(std::move(data)), hosts_(std::move(hosts)), sandboxed_(git::sandbox_works()) {}

git::Repository LocalForge::repository(const RigId& rig) const {
  return git::Repository::bare(git_, git::rig_repository(data_, rig));
}

std::unique_lock<std::mutex> LocalForge::lock(const RigId& rig) {
  const std::lock_guard guard(mutex_);
  auto& own = rig_locks_[rig];
  if (!own) own = std::make_unique<std::mutex>();
  return std::unique_lock(*own);
}

expected<RigFound> LocalForge::prepare_rig(const TownId&, const Rig& rig) {
  const auto host = if_hosted(rig);
  auto found = [&] {
    const auto held = lock(rig.rig_id);
    return make_or_refresh(host ? host->git : git_, rig, git::rig_repository(data_, rig.rig_id));
  }();
  // Of a checkout on this machine the target may be behind where pull requests are merged. A host that cannot be
  // reached is no reason not to work.
  if (found && found->broken_reason.empty() && host && git::is_local_path(rig.git_url)) (void)follow_target(rig, *host);
  return found;
}

expected<void> LocalForge::prepare_branch(const TownId&, const Rig& rig, const std::string& branch) {
  if (auto ok = git::validate_branch_name(branch); !ok) return ok;
  const auto held = lock(rig.rig_id);
  const git::Repository bare = repository(rig.rig_id);
  const std::string ref = "refs/heads/" + branch;
  auto there = bare.commit_of(ref);
  if (!there) return tl::unexpected(there.error());
  if (*there) return {};
  auto target = bare.commit_of("refs/heads/" + target_of(rig));
  if (!target) return tl::unexpected(target.error());
  if (!*target) {
    return fail(Error::Code::conflict, "rig " + rig.name + " has no branch " + target_of(rig) + " to start from",
                "set the rig's target to a branch that exists");
  }
  auto made = bare.compare_and_swap(ref, **target, "");
  if (!made) return tl::unexpected(made.error());
  return {};
}

expected<std::string> LocalForge::adopt(const TownId&, const Rig& rig, const std::string& branch) {
  if (auto ok = git::validate_branch_name(branch); !ok) return tl::unexpected(ok.error());
  const auto held = lock(rig.rig_id);
  const auto found = make_or_refresh(git_, rig, git::rig_repository(data_, rig.rig_id));
  if (!found) return tl::unexpected(found.error());
  if (!found->broken_reason.empty()) return fail(Error::Code::unavailable, found->broken_reason);
  const auto source = git::place_of(rig.git_url);
  if (!source) return tl::unexpected(source.error());
  const auto tip = git::tip_at(git_, *source, branch);
  if (!tip) return tl::unexpected(tip.error());
  const std::string shown = git::without_credentials(rig.git_url);
  if (!*tip)
    return fail(Error::Code::not_found, "there is no branch " + branch + " in " + shown,
                "see them with: git branch -a");
  const git::Repository bare = repository(rig.rig_id);
  const auto on_target = bare.is_ancestor(**tip, "refs/heads/" + target_of(rig));
  if (!on_target) return tl::unexpected(on_target.error());
  if (*on_target)
    return fail(Error::Code::conflict, branch + " is on " + target_of(rig) + " already", "there is nothing to merge");
  const std::string ref = "refs/town/adopted/" + **tip;
  auto there = bare.commit_of(ref);
  if (!there) return tl::unexpected(there.error());
  if (*there) return **tip;
  if (auto kept = bare.compare_and_swap(ref, **tip, ""); !kept) return tl::unexpected(kept.error());
  return **tip;
}

expected<std::string> LocalForge::collect(const CollectSpec& spec) {
  const auto held = lock(spec.rig.rig_id);
  const git::Repository bare = repository(spec.rig.rig_id);
  const std::string folder = git::clone_folder(data_, spec.run_id);
  if (exists(folder)) return collect_clone(bare, {spec.run_id, folder, spec.branch, sandboxed_});
  auto earlier = bare.commit_of(git::run_ref(spec.run_id));
  if (!earlier) return tl::unexpected(earlier.error());
  return earlier->value_or("");
}

expected<void> LocalForge::discard(const CollectSpec& spec) {
  const std::string folder = git::clone_folder(data_, spec.run_id);
  const std::string removed = folder + ".removed";
  // What an earlier removal left when it was cut off must not be in the way.
  if (auto gone = git::remove_folder(removed); !gone) return gone;
  {
    // Removing may take long, so it is done after the rig is free again; but nobody may find half a clone.
    const auto held = lock(spec.rig.rig_id);
    if (!exists(folder)) return {};
    auto safe = collect_clone(repository(spec.rig.rig_id), {spec.run_id, folder, spec.branch, sandboxed_});
    if (!safe) return tl::unexpected(safe.error());
    if (std::rename(folder.c_str(), removed.c_str()) != 0)
      return fail(Error::Code::unavailable, "cannot rename " + folder + ": " + std::strerror(errno));
  }
  return git::remove_folder(removed);
}

expected<events::GitMergeResult> LocalForge::land(const LandSpec& spec) {
  if (auto ok = git::validate_branch_name(spec.target_branch); !ok) {
    return events::GitMergeResult{spec.request_id, events::LandingAnswer::failed, {}, ok.error().what};
  }
  const auto held = lock(spec.rig.rig_id);
  const git::Repository bare = repository(spec.rig.rig_id);
  const std::string folder = git::clone_folder(data_, spec.trial_run_id);
  auto known = bare.commit_of(git::run_ref(spec.trial_run_id));
  if (!known) return tl::unexpected(known.error());
  if (*known != spec.commit && exists(folder)) {
    auto collected = collect_clone(bare, {spec.trial_run_id, folder, {}, sandboxed_});
    if (!collected) return tl::unexpected(collected.error());
  }
  const auto host = if_hosted(spec.rig);
  return land_commit(host ? host->git : git_, bare, spec);
}

}  // namespace townd
