#include "forge/landing.hpp"

#include <optional>
#include <utility>

#include "core/town.hpp"
#include "forge/owner_repository.hpp"
#include "forge/rig_source.hpp"
#include "git/fetch.hpp"
#include "git/layout.hpp"
#include "git/names.hpp"

namespace townd {
namespace {

using events::GitMergeResult;
using events::LandingAnswer;
struct Final {
  LandingAnswer answer = LandingAnswer::landed;
  std::string why;
  bool alone = false;  ///< held for what the request itself is
};
/// A final answer, or none: go on.
using Verdict = std::optional<Final>;
using MaybeCommit = std::optional<std::string>;

Final moved(std::string why) { return {LandingAnswer::moved, std::move(why)}; }
Final held(std::string why) { return {LandingAnswer::held, std::move(why)}; }
Final refused(std::string why) { return {LandingAnswer::failed, std::move(why)}; }

/// Where the target stands outside of townd.
struct Outside {
  std::optional<OwnerBranch> owner;
  std::optional<git::Place> host;  ///< where landed work is pushed to
  MaybeCommit host_tip;
  MaybeCommit tip;  ///< the furthest of them; none when nobody outside has the branch
};

class Landing {
 public:
  Landing(const git::Program& git, const git::Repository& bare, const LandSpec& spec)
      : git_(git),
        bare_(bare),
        spec_(spec),
        owner_(git, spec.rig.git_url),
        ref_("refs/heads/" + spec.target_branch),
        base_(spec.base_commit) {}

  expected<GitMergeResult> run() {
    auto verdict = steps();
    if (!verdict) return tl::unexpected(verdict.error());
    const auto [answer, why, alone] = verdict->value_or(Final{});
    return GitMergeResult{spec_.request_id, answer, answer == LandingAnswer::landed ? spec_.commit : "", why, alone};
  }

 private:
  expected<Verdict> steps() {
    if (auto verdict = prove(); !verdict || *verdict) return verdict;
    if (auto verdict = look_outside(); !verdict || *verdict) return verdict;
    auto already = contains(outside_.tip);
    if (!already) return tl::unexpected(already.error());
    if (outside_.tip && !*already) {
      if (auto ok = follow(); !ok) return tl::unexpected(ok.error());
    }
    if (!*already && spec_.only_look) return refused("it is not on " + spec_.target_branch);
    if (!*already) {
      if (auto verdict = compare_target(); !verdict || *verdict) return verdict;
      if (auto verdict = needs_a_person(); !verdict || *verdict) return verdict;
    }
    if (auto verdict = propagate(); !verdict || *verdict) return verdict;
    return finish(*already ? *outside_.tip : spec_.commit);
  }

  /// A refinery that thinks says what it merged, not on what: that is where the target stands, if its commit is on top
  /// of that.
  expected<Verdict> find_base() {
    auto ours = bare_.commit_of(ref_);
    if (!ours) return tl::unexpected(ours.error());
    if (!*ours) return refused("there is no branch " + spec_.target_branch + " in the rig's repository");
    auto commit = bare_.commit_of(spec_.commit);
    if (!commit) return tl::unexpected(commit.error());
    if (*commit != spec_.commit) return Verdict{};  // what follows says so
    auto on_top = bare_.is_ancestor(**ours, spec_.commit);
    if (!on_top) return tl::unexpected(on_top.error());
    auto landed = bare_.is_ancestor(spec_.commit, **ours);
    if (!landed) return tl::unexpected(landed.error());
    if (!*on_top && !*landed)
      return moved(spec_.target_branch + " is at " + **ours + ", on which " + spec_.commit + " is not");
    base_ = *on_top ? **ours : spec_.commit;
    return Verdict{};
  }

  /// The commit is here and contains the base and every request.
  expected<Verdict> prove() {
    if (base_.empty() && git::is_object_id(spec_.commit))
      if (auto verdict = find_base(); !verdict || *verdict) return verdict;
    for (const std::string& id : {spec_.commit, base_}) {
      if (!git::is_object_id(id)) return refused("\"" + id.substr(0, 80) + "\" is not a commit id");
      auto commit = bare_.commit_of(id);
      if (!commit) return tl::unexpected(commit.error());
      if (*commit != id) return refused("the commit " + id + " is not in the clone of run " + spec_.trial_run_id.text);
    }
    std::vector<std::string> ancestors = {base_};
    ancestors.insert(ancestors.end(), spec_.request_commits.begin(), spec_.request_commits.end());
    for (const std::string& ancestor : ancestors) {
      if (!git::is_object_id(ancestor)) return refused("\"" + ancestor.substr(0, 80) + "\" is not a commit id");
      auto known = bare_.commit_of(ancestor);
      if (!known) return tl::unexpected(known.error());
      if (!*known) return refused("the commit " + ancestor + " of the request is not in the rig's repository");
      auto proven = bare_.is_ancestor(ancestor, spec_.commit);
      if (!proven) return tl::unexpected(proven.error());
      if (!*proven) return refused("the merged commit " + spec_.commit + " does not contain " + ancestor);
    }
    // From here on it has a name, which the owner's repository fetches it by.
    if (auto ok = bare_.point(git::run_ref(spec_.trial_run_id), spec_.commit); !ok) return tl::unexpected(ok.error());
    return Verdict{};
  }

  /// Branches between townd's own runs, such as a convoy's, are nobody else's.
  [[nodiscard]] bool is_public() const { return spec_.target_branch == target_of(spec_.rig); }

  expected<Verdict> look_outside() {
    if (!is_public()) return Verdict{};
    if (git::is_local_path(spec_.rig.git_url)) {
      auto found = owner_.branch(spec_.target_branch);
      if (!found) return tl::unexpected(found.error());
      if (!*found) {
        return held("there is no branch " + spec_.target_branch + " in " + spec_.rig.git_url +
                    " any more; make it again, or set the rig's target");
      }
      outside_.owner = **found;
      if (auto ok = bring({spec_.rig.git_url, git::Transport::local}, "owner"); !ok) return tl::unexpected(ok.error());
    }
    if (auto ok = look_at_host(); !ok) {
      if (ok.error().code == Error::Code::unavailable) return tl::unexpected(ok.error());
      return held(ok.error().what + ": " + ok.error().hint);
    }
    return furthest();
  }

  expected<void> look_at_host() {
    auto found = pushed_to(git_, spec_.rig);
    if (!found) return tl::unexpected(found.error());
    if (!*found) return {};
    const std::optional<git::Place>& place = outside_.host = *found;
    auto tip = git::tip_at(git_, *place, spec_.target_branch);
    if (!tip) return tl::unexpected(tip.error());
    outside_.host_tip = *tip;
    if (!*tip) return {};
    return bring(*place, "host");
  }

  expected<void> bring(const git::Place& place, const std::string& name) {
    return git::fetch(bare_, place, {"+" + ref_ + ":refs/outside/" + name + "/" + spec_.target_branch});
  }

  expected<Verdict> furthest() {
    const MaybeCommit owner = outside_.owner ? MaybeCommit(outside_.owner->tip) : std::nullopt;
    outside_.tip = owner ? owner : outside_.host_tip;
    if (!owner || !outside_.host_tip || *owner == *outside_.host_tip) return Verdict{};
    auto owner_behind = bare_.is_ancestor(*owner, *outside_.host_tip);
    if (!owner_behind) return tl::unexpected(owner_behind.error());
    if (*owner_behind) {
      outside_.tip = outside_.host_tip;
      return Verdict{};
    }
    auto host_behind = bare_.is_ancestor(*outside_.host_tip, *owner);
    if (!host_behind) return tl::unexpected(host_behind.error());
    if (*host_behind) return Verdict{};
    return held(spec_.target_branch + " in " + spec_.rig.git_url + " and at " +
                git::without_credentials(outside_.host->address) + " have diverged; merge or rebase yours");
  }

  expected<bool> contains(const MaybeCommit& tip) const {
    if (!tip) return false;
    return bare_.is_ancestor(spec_.commit, *tip);
  }

  /// People's branch is the truth: ours goes where it is, also when they rewound it. What ours had keeps a name.
  expected<void> follow() {
    auto ours = bare_.commit_of(ref_);
    if (!ours) return tl::unexpected(ours.error());
    if (*ours == outside_.tip) return {};
    if (*ours) {
      auto forward = bare_.is_ancestor(**ours, *outside_.tip);
      if (!forward) return tl::unexpected(forward.error());
      if (!*forward) {
        if (auto ok = bare_.point("refs/town-kept/" + **ours, **ours); !ok) return ok;
      }
    }
    auto swapped = bare_.compare_and_swap(ref_, *outside_.tip, ours->value_or(""));
    if (!swapped) return tl::unexpected(swapped.error());
    return {};
  }

  expected<Verdict> compare_target() {
    auto ours = bare_.commit_of(ref_);
    if (!ours) return tl::unexpected(ours.error());
    if (!*ours) return refused("there is no branch " + spec_.target_branch + " in the rig's repository");
    if (**ours == base_) return Verdict{};
    auto landed = contains(*ours);
    if (!landed) return tl::unexpected(landed.error());
    if (*landed) return Verdict(Final{});
    return moved(spec_.target_branch + " is at " + **ours + ", the trial was made on " + base_);
  }

  /// What townd itself obeys is changed by people only (interfaces.md, "Repositories are hostile").
  expected<Verdict> needs_a_person() {
    auto touched = bare_.text(
        {"diff-tree", "-r", "--no-renames", "--name-only", base_, spec_.commit, "--", ":(top,literal,icase).town"},
        "looking for changes of .town");
    if (!touched) return tl::unexpected(touched.error());
    if (touched->empty()) return Verdict{};
    Final hold = held("it changes " + touched->substr(0, touched->find('\n')) +
                      ", which townd itself obeys; look at it and merge it yourself: git fetch " + bare_.folder() +
                      " " + git::run_ref(spec_.trial_run_id) + " && git merge --ff-only FETCH_HEAD");
    hold.alone = true;
    return Verdict(std::move(hold));
  }

  expected<Verdict> propagate() {
    const std::string& target = spec_.target_branch;
    bool owner_waits = false;
    if (outside_.owner) {
      auto has = contains(outside_.owner->tip);
      if (!has) return tl::unexpected(has.error());
      owner_waits = !*has;
    }
    if (owner_waits) {
      auto obstacle = owner_.obstacle(target, *outside_.owner);
      if (!obstacle) return tl::unexpected(obstacle.error());
      if (!obstacle->empty()) return held(*obstacle);
    }
    if (outside_.host) {
      if (auto verdict = push(); !verdict || *verdict) return verdict;
    }
    if (!owner_waits) return Verdict{};
    auto advanced = owner_.advance(target, *outside_.owner, spec_.commit, bare_, git::run_ref(spec_.trial_run_id));
    if (!advanced) return tl::unexpected(advanced.error());
    if (advanced->result == Advance::moved) return moved(advanced->why);
    if (advanced->result == Advance::held) return held(advanced->why);
    return Verdict{};
  }

  expected<Verdict> push() {
    auto has = contains(outside_.host_tip);
    if (!has) return tl::unexpected(has.error());
    if (*has) return Verdict{};
    auto pushed =
        git::push(git_, bare_, *outside_.host, spec_.target_branch, spec_.commit, outside_.host_tip.value_or(""));
    if (!pushed) return tl::unexpected(pushed.error());
    if (pushed->result == git::Pushed::moved) return moved(pushed->why);
    if (pushed->result == git::Pushed::refused) return held(pushed->why);
    return Verdict{};
  }

  /// Our own branch, last. Somebody who was quicker put the same commit, or more, there: a refresh of the rig does.
  expected<Verdict> finish(const std::string& tip) {
    auto ours = bare_.commit_of(ref_);
    if (!ours) return tl::unexpected(ours.error());
    auto landed = contains(*ours);
    if (!landed) return tl::unexpected(landed.error());
    if (*landed) return Verdict{};
    auto swapped = bare_.compare_and_swap(ref_, tip, ours->value_or(""));
    if (!swapped) return tl::unexpected(swapped.error());
    if (*swapped) return Verdict{};
    return moved(spec_.target_branch + " has moved");
  }

  const git::Program& git_;
  const git::Repository& bare_;
  const LandSpec& spec_;
  OwnerRepository owner_;
  std::string ref_;
  std::string base_;
  Outside outside_;
};

}  // namespace

expected<GitMergeResult> land_commit(const git::Program& git, const git::Repository& bare, const LandSpec& spec) {
  return Landing(git, bare, spec).run();
}

}  // namespace townd
