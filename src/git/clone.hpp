#pragma once

#include <string>
#include <vector>

#include "core/expected.hpp"
#include "git/program.hpp"

namespace townd::git {

/// A run's own clone of a rig's repository.
struct CloneSpec {
  std::string bare;           ///< the rig's repository; absolute. Its objects are used in place, through alternates
  std::string folder;         ///< where the clone goes; its parent exists
  std::string branch;         ///< made at `start` and checked out; empty: `start` is checked out detached
  std::string start;          ///< full ref name in `bare`, or an object id: refs/heads/<target>, refs/town/<run>
  std::string target_branch;  ///< seen by the agent as `origin/<target>`; empty: none
  std::string name;           ///< whose commits: `<name>` `<email>`
  std::string email;
  std::vector<std::string> branches =
      {};  ///< further branches of `bare` seen as `origin/<branch>`; a missing one is left out
};

/// Makes the clone; complete or not there at all, whenever townd is killed. One that is there already stays as it is.
/// It has no remote (agents never push), no hooks, and the identity that the spec names. Answers its commit.
expected<std::string> clone_shared(const Program& git, const CloneSpec& spec);

/// `<name> (townd)` and `<slug of name>@townd.local`: who an agent commits as.
std::string agent_identity_name(const std::string& agent_name);
std::string agent_identity_email(const std::string& agent_name);

/// Removes a folder that an agent could write: follows no link, leaves other file systems alone, and takes folders that
/// were made unreadable too. One that is not there is removed.
expected<void> remove_folder(const std::string& folder);

}  // namespace townd::git
