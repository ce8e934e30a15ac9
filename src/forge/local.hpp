#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "git/program.hpp"
#include "git/repository.hpp"
#include "ports/forge.hpp"

namespace townd {

/// Rigs as repositories on this machine: one bare repository for each, `<data>/rigs/<rig>/repo.git`, that only townd
/// touches; the runs' clones in `<data>/clones/<run>`; the owner's own repository or a host where results go. Work on
/// one rig is done one piece at a time.
class LocalForge : public Forge {
 public:
  /// `data` is absolute.
  LocalForge(git::Program git, std::string data);

  expected<RigFound> prepare_rig(const TownId& town, const Rig& rig) override;
  expected<void> prepare_branch(const TownId& town, const Rig& rig, const std::string& branch) override;
  expected<std::string> adopt(const TownId& town, const Rig& rig, const std::string& branch) override;
  expected<std::string> collect(const CollectSpec& spec) override;
  expected<void> discard(const CollectSpec& spec) override;
  expected<events::GitMergeResult> land(const LandSpec& spec) override;

  /// No host of pull requests is set up here; both say so.
  expected<events::PollAnswer> poll_pr(const Rig& rig, const std::string& pr_url) override;
  expected<events::PrMergeResult> merge_pr(const Rig& rig, const std::string& pr_url, const std::string& head) override;

 private:
  [[nodiscard]] git::Repository repository(const RigId& rig) const;
  std::unique_lock<std::mutex> lock(const RigId& rig);

  git::Program git_;
  std::string data_;
  bool sandboxed_;
  std::mutex mutex_;  ///< of the map only
  std::map<RigId, std::unique_ptr<std::mutex>> rig_locks_;
};

}  // namespace townd
