#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ports/forge.hpp"
#include "sim/complaints.hpp"

namespace townd::sim {

/// Repositories as sets: a commit is a name and everything that it contains. One history for each rig; the branches'
/// tips move only by landing.
class FakeForge : public Forge {
 public:
  explicit FakeForge(Complaints& complaints) : complaints_(complaints) {}

  // ---- what agents do in their clones ----
  /// The clone of a run begins at the tip of `branch`.
  void clone(const RunId& run, const RigId& rig, const std::string& branch);
  /// A new commit on what the clone has.
  std::string work(const RunId& run);
  bool knows(const std::string& commit) const;
  /// A commit that contains `base` and all `commits`, the same one each time; empty when one is unknown.
  std::string merge(const RunId& run, const std::string& base, const std::vector<std::string>& commits);
  void in_use(const RunId& run, bool used);
  std::string tip(const RigId& rig, const std::string& branch);

  // ---- what a test decides ----
  /// Asked at each landing; an answer other than none is given instead of landing.
  std::function<std::optional<expected<events::GitMergeResult>>(const LandSpec&)> disturb_landing;
  std::string broken_reason;  ///< of every rig that is looked at
  std::string host_trouble;   ///< of every rig's pull requests

  // ---- what a test looks at ----
  [[nodiscard]] std::map<BeadId, std::vector<std::string>> landings() const;
  [[nodiscard]] bool contains(const RigId& rig, const std::string& branch, const std::string& commit);

  // ---- Forge ----
  expected<RigFound> prepare_rig(const TownId& town, const Rig& rig) override;
  expected<void> prepare_branch(const TownId& town, const Rig& rig, const std::string& branch) override;
  expected<std::string> adopt(const TownId& town, const Rig& rig, const std::string& branch) override;
  expected<std::string> collect(const CollectSpec& spec) override;
  expected<void> discard(const CollectSpec& spec) override;
  expected<events::GitMergeResult> land(const LandSpec& spec) override;
  expected<AdoptedPr> adopt_pr(const TownId& town, const Rig& rig, const std::string& url) override;
  expected<events::PrPublished> publish(const PublishSpec& spec) override;
  expected<events::PollAnswer> poll_pr(const PollSpec& spec) override;
  expected<events::PrMergeResult> merge_pr(const MergeSpec& spec) override;
  expected<void> comment_pr(const CommentSpec& spec) override;
  std::string pr_trouble(const Rig& rig) override;

 private:
  using Branch = std::pair<RigId, std::string>;
  struct Clone {
    std::string head;
    bool used = false;
    bool gone = false;
    bool collected = false;
  };

  std::string add(std::set<std::string> contents);
  std::string& tip_of(const Branch& branch);
  bool holds(const std::string& commit, const std::string& part) const;

  Complaints& complaints_;
  mutable std::mutex mutex_;
  int made_ = 0;
  std::map<std::pair<std::string, std::set<std::string>>, std::string> merges_;  ///< base and contents → commit
  std::map<std::string, std::set<std::string>> commits_;                         ///< what each contains, itself too
  std::map<Branch, std::string> tips_;
  std::map<RunId, Clone> clones_;
  std::map<BeadId, std::vector<std::string>> landings_;
};

}  // namespace townd::sim
