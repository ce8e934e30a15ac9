#include "sim/fake_forge.hpp"

#include <algorithm>

namespace townd::sim {

std::string FakeForge::add(std::set<std::string> contents) {
  const std::string name = "commit-" + std::to_string(++made_);
  contents.insert(name);
  commits_[name] = std::move(contents);
  return name;
}

std::string& FakeForge::tip_of(const Branch& branch) {
  std::string& tip = tips_[branch];
  if (tip.empty()) tip = branch.second == "main" ? add({}) : tip_of({branch.first, "main"});
  return tip;
}

bool FakeForge::holds(const std::string& commit, const std::string& part) const {
  const auto found = commits_.find(commit);
  return found != commits_.end() && found->second.contains(part);
}

// ---- agents ------------------------------------------------------------------------------------------------------

void FakeForge::clone(const RunId& run, const RigId& rig, const std::string& branch) {
  const std::lock_guard lock(mutex_);
  Clone& clone = clones_[run];
  clone.head = tip_of({rig, branch});
  clone.used = true;
}

std::string FakeForge::work(const RunId& run) {
  const std::lock_guard lock(mutex_);
  Clone& clone = clones_[run];
  clone.head = add(commits_[clone.head]);
  return clone.head;
}

bool FakeForge::knows(const std::string& commit) const {
  const std::lock_guard lock(mutex_);
  return commits_.contains(commit);
}

std::string FakeForge::merge(const RunId& run, const std::string& base, const std::vector<std::string>& commits) {
  const std::lock_guard lock(mutex_);
  std::set<std::string> contents = commits_[base];
  for (const std::string& commit : commits) {
    const auto found = commits_.find(commit);
    if (found == commits_.end()) return {};
    contents.insert(found->second.begin(), found->second.end());
  }
  // Git makes no commit of what is merged already.
  if (contents == commits_[base]) return clones_[run].head = base;
  std::string& made = merges_[{base, contents}];
  if (made.empty()) made = add(std::move(contents));
  return clones_[run].head = made;
}

void FakeForge::in_use(const RunId& run, bool used) {
  const std::lock_guard lock(mutex_);
  clones_[run].used = used;
}

std::string FakeForge::tip(const RigId& rig, const std::string& branch) {
  const std::lock_guard lock(mutex_);
  return tip_of({rig, branch});
}

std::map<BeadId, std::vector<std::string>> FakeForge::landings() const {
  const std::lock_guard lock(mutex_);
  return landings_;
}

bool FakeForge::contains(const RigId& rig, const std::string& branch, const std::string& commit) {
  const std::lock_guard lock(mutex_);
  return holds(tip_of({rig, branch}), commit);
}

// ---- Forge -------------------------------------------------------------------------------------------------------

expected<RigFound> FakeForge::prepare_rig(const TownId&, const Rig& rig) {
  const std::lock_guard lock(mutex_);
  tip_of({rig.rig_id, "main"});
  return RigFound{"main", broken_reason};
}

expected<void> FakeForge::prepare_branch(const TownId&, const Rig& rig, const std::string& branch) {
  const std::lock_guard lock(mutex_);
  tip_of({rig.rig_id, branch});
  return {};
}

expected<std::string> FakeForge::adopt(const TownId&, const Rig& rig, const std::string& branch) {
  const std::lock_guard lock(mutex_);
  const auto tip = tips_.find({rig.rig_id, branch});
  if (tip == tips_.end()) return fail(Error::Code::not_found, "there is no branch " + branch);
  if (holds(tip_of({rig.rig_id, "main"}), tip->second))
    return fail(Error::Code::conflict, branch + " is on main already");
  return tip->second;
}

expected<std::string> FakeForge::collect(const CollectSpec& spec) {
  const std::lock_guard lock(mutex_);
  const auto found = clones_.find(spec.run_id);
  if (found == clones_.end()) return std::string();
  found->second.collected = true;
  return found->second.head;
}

expected<void> FakeForge::discard(const CollectSpec& spec) {
  const std::lock_guard lock(mutex_);
  const auto found = clones_.find(spec.run_id);
  if (found == clones_.end()) return {};
  if (!found->second.collected) complaints_.add("the clone of " + spec.run_id.text + " is discarded uncollected");
  if (found->second.used) return fail(Error::Code::conflict, "a process works in the clone of " + spec.run_id.text);
  found->second.gone = true;
  return {};
}

expected<events::GitMergeResult> FakeForge::land(const LandSpec& spec) {
  const std::lock_guard lock(mutex_);
  std::string& target = tip_of({spec.rig.rig_id, spec.target_branch});
  events::GitMergeResult result{spec.request_id, events::LandingAnswer::landed, spec.commit, {}};
  const bool complete = holds(spec.commit, spec.base_commit) &&
                        std::all_of(spec.request_commits.begin(), spec.request_commits.end(),
                                    [&](const std::string& part) { return holds(spec.commit, part); });
  if (!complete) return events::GitMergeResult{spec.request_id, events::LandingAnswer::failed, {}, "not what it says"};
  if (holds(target, spec.commit)) return result;  // done before
  if (spec.only_look)
    return events::GitMergeResult{spec.request_id, events::LandingAnswer::failed, {}, "it is not on the target"};
  if (disturb_landing)
    if (auto answer = disturb_landing(spec)) return *answer;
  if (target != spec.base_commit)
    return events::GitMergeResult{spec.request_id, events::LandingAnswer::moved, {}, "the target has moved"};
  if (!landings_[spec.request_id].empty()) complaints_.add("request " + spec.request_id.text + " landed twice");
  landings_[spec.request_id].push_back(spec.commit);
  target = spec.commit;
  return result;
}

expected<AdoptedPr> FakeForge::adopt_pr(const TownId&, const Rig&, const std::string&) {
  return fail(Error::Code::unavailable, "this forge has no pull requests");
}

expected<events::PrPublished> FakeForge::publish(const PublishSpec&) {
  return fail(Error::Code::unavailable, "this forge has no pull requests");
}

expected<events::PollAnswer> FakeForge::poll_pr(const PollSpec&) {
  return fail(Error::Code::unavailable, "this forge has no pull requests");
}

expected<events::PrMergeResult> FakeForge::merge_pr(const MergeSpec&) {
  return fail(Error::Code::unavailable, "this forge has no pull requests");
}

std::string FakeForge::pr_trouble(const Rig&) { return host_trouble; }

expected<void> FakeForge::comment_pr(const CommentSpec&) {
  return fail(Error::Code::unavailable, "this forge has no pull requests");
}

}  // namespace townd::sim
