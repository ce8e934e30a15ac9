#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "forge/hosts.hpp"
#include "git/fetch.hpp"
#include "git/program.hpp"
#include "git/repository.hpp"
#include "ports/forge.hpp"

namespace townd {

/// Rigs as repositories on this machine: one bare repository for each, `<data>/rigs/<rig>/repo.git`, that only townd
/// touches; the runs' clones in `<data>/clones/<run>`; the owner's own repository or a host where results go. Work on
/// one rig is done one piece at a time.
class LocalForge : public Forge {
 public:
  /// `data` is absolute. `hosts` is where pull requests are made; null: nowhere.
  LocalForge(git::Program git, std::string data, std::unique_ptr<Hosts> hosts = nullptr);

  /// Ends what hosts are being asked, and asks them nothing more.
  void stop();

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
  void pr_changed(const RigId& rig, int number) override;
  expected<void> comment_pr(const CommentSpec& spec) override;
  std::string pr_trouble(const Rig& rig) override;
  [[nodiscard]] std::vector<HostCalls> host_calls() const override;

 private:
  /// Where the rig's pull requests are made.
  struct Hosted {
    Host* host = nullptr;
    HostKind kind = HostKind::github;
    HostedRepository repository;
    git::Place place;
    git::Program git;  ///< let in there
  };

  [[nodiscard]] git::Repository repository(const RigId& rig) const;
  [[nodiscard]] git::Repository repository(const RigId& rig, const Hosted& hosted) const;
  std::unique_lock<std::mutex> lock(const RigId& rig);
  Asked<Hosted> hosted(const Rig& rig) const;
  /// None where no host is set up: git is not asked where the rig pushes to.
  std::optional<Hosted> if_hosted(const Rig& rig) const;
  Asked<std::pair<Hosted, PrPlace>> found(const Rig& rig, const std::string& pr_url) const;
  expected<void> follow_target(const Rig& rig, const Hosted& hosted);
  Asked<std::string> bring_up_to_date(const MergeSpec& spec, const Hosted& hosted);
  Asked<std::string> push_branch(const PublishSpec& spec, const Hosted& hosted);

  git::Program git_;
  std::string data_;
  std::unique_ptr<Hosts> hosts_;
  bool sandboxed_;
  std::mutex mutex_;  ///< of the map only
  std::map<RigId, std::unique_ptr<std::mutex>> rig_locks_;
};

}  // namespace townd
