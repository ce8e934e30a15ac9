#pragma once

#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/expected.hpp"

namespace townd {

/// What was found on making or checking a rig's repository.
struct RigFound {
  std::string default_branch;
  std::string broken_reason;  ///< empty when usable
};

struct LandSpec {
  TownId town_id;
  Rig rig;
  BeadId request_id;
  RunId trial_run_id;  ///< in whose clone the merged commit was made
  std::string target_branch;
  std::string base_commit;                   ///< what the target must still point to
  std::string commit;                        ///< what it shall point to
  std::vector<std::string> request_commits;  ///< of the requests; each must be proven to be contained in `commit`
  bool only_look = false;                    ///< whether it has landed; nothing is moved
};

struct CollectSpec {
  TownId town_id;
  Rig rig;
  RunId run_id;
  std::string branch;
};

/// Work that is to be a pull request, or is one.
struct PublishSpec {
  TownId town_id;
  Rig rig;
  BeadId request_id;
  std::string pr_url;  ///< empty: it has to be opened
  std::string branch;
  std::string target_branch;
  std::string commit;                 ///< what the branch shall point to; empty: its tip in the rig's repository
  std::string published;              ///< where townd last put it; empty: not yet there
  RunId run_id;                       ///< whose work that is; empty when unknown
  std::string title;                  ///< of the pull request, one line
  std::string body;                   ///< … in Markdown
  std::vector<std::string> answered;  ///< review threads to answer and resolve, as a poll named them
  std::string answer;                 ///< what is said there
};

struct PollSpec {
  TownId town_id;
  Rig rig;
  BeadId request_id;
  std::string pr_url;
  std::string target_branch;     ///< into another one nothing is merged
  bool with_feedback = false;    ///< what is to be done is wanted in words
  Duration fresh = seconds(59);  ///< an answer so old is as good
};

struct MergeSpec {
  Rig rig;
  BeadId request_id;
  std::string pr_url;
  std::string head;  ///< nothing else may be merged
  std::string branch;
  std::string target_branch;
};

/// A pull request that somebody else has opened.
struct AdoptedPr {
  std::string url;
  std::string branch;
  std::string commit;  ///< its head, fetched
  std::string title;
  std::string body;
};

struct CommentSpec {
  Rig rig;
  std::string pr_url;
  std::string text;
};

/// What a host of pull requests has been asked since townd's start, and what is left of its allowance.
struct HostCalls {
  std::string host;
  std::string resource;  ///< what the allowance is for, as the host calls it; empty where it has one for all
  std::int64_t made = 0;
  std::int64_t allowed = 0;  ///< in its window; 0: the host told of none
  std::int64_t left = 0;
};

/// Repositories and the places that host them. Every call may block and is made from the I/O pool; repeating one that
/// was carried out answers the same and changes nothing.
class Forge {
 public:
  virtual ~Forge() = default;

  /// Makes (or looks at) the bare repository of the rig that only townd touches.
  virtual expected<RigFound> prepare_rig(const TownId& town, const Rig& rig) = 0;
  /// Makes a branch at the tip of the rig's target when it does not exist.
  virtual expected<void> prepare_branch(const TownId& town, const Rig& rig, const std::string& branch) = 0;
  /// Takes over a branch of the rig's source as it is now, so that its commit stays whatever becomes of the branch.
  /// Answers the commit. `not_found`: no such branch there; `conflict`: it is on the target already.
  virtual expected<std::string> adopt(const TownId& town, const Rig& rig, const std::string& branch) = 0;
  /// Fetches a run's work into `refs/town/<run>`. Answers the commit, empty when there is none.
  virtual expected<std::string> collect(const CollectSpec& spec) = 0;
  /// Fetches and then removes the run's clone. A clone whose work is not safe on a named ref stays (invariant 13).
  virtual expected<void> discard(const CollectSpec& spec) = 0;
  /// domain.md §6, verify_merge: fetch, compare-and-swap of the target, proof by ancestry, the owner's checkout.
  virtual expected<events::GitMergeResult> land(const LandSpec& spec) = 0;

  /// Fetches a pull request of the rig's repository as it is now. `conflict`: it has ended, or is not for the rig's
  /// target; `not_found`.
  virtual expected<AdoptedPr> adopt_pr(const TownId& town, const Rig& rig, const std::string& url) = 0;
  /// Moves the branch at the forge forward, opens the pull request unless there is one, answers its threads.
  virtual expected<events::PrPublished> publish(const PublishSpec& spec) = 0;
  /// How it stands; what the forge refuses, cannot say or says in error is an answer too.
  virtual expected<events::PollAnswer> poll_pr(const PollSpec& spec) = 0;
  /// Looks once more and merges it if everything is green; one that has to contain its target's tip first gets it.
  /// `unavailable`: it may have been merged.
  virtual expected<events::PrMergeResult> merge_pr(const MergeSpec& spec) = 0;
  /// A pull request of the rig's is not as it was (0: any of them); answers from before are old.
  virtual void pr_changed(const RigId& /*rig*/, int /*number*/) {}
  virtual expected<void> comment_pr(const CommentSpec& spec) = 0;
  /// What stands in the way of the rig's pull requests at its host, a missing right of the token for example; empty
  /// when nothing does.
  virtual std::string pr_trouble(const Rig& rig) = 0;
  /// Calls to hosts of pull requests.
  [[nodiscard]] virtual std::vector<HostCalls> host_calls() const { return {}; }
};

}  // namespace townd
