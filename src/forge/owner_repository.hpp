#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "core/rows.hpp"
#include "git/fetch.hpp"
#include "git/repository.hpp"

namespace townd {

/// A branch of the owner's own repository.
struct OwnerBranch {
  std::string tip;
  std::string worktree;  ///< the checkout that is on this branch; empty: none is
};

enum class Advance { done, moved, held };
struct AdvanceAnswer {
  Advance result = Advance::held;
  std::string why;
};

/// The repository on this machine that a rig was made from. It belongs to a person: townd moves one branch forward in
/// it, and a checkout only when nothing in it is changed (interfaces.md, "Landing").
class OwnerRepository {
 public:
  OwnerRepository(const git::Program& git, std::string folder);

  /// Why this folder cannot be a rig, as a sentence that says what to do; empty when it can.
  expected<std::string> unusable() const;
  expected<std::optional<OwnerBranch>> branch(const std::string& name) const;
  /// The branch that people work from: `wanted` when there is one, else what its origin calls so, `main`, `master`, or
  /// what is checked out; none when it cannot be told.
  expected<std::optional<std::string>> default_branch(const std::string& wanted) const;
  /// The push URL of one of its remotes.
  expected<std::string> remote_url(const std::string& remote) const;

  /// Why `branch` cannot be moved to a descendant now, in words for its owner; empty when it can.
  expected<std::string> obstacle(const std::string& name, const OwnerBranch& branch) const;
  /// Moves the branch from its tip to `commit`, which `source_ref` of `bare` leads to; fast-forwards the checkout that
  /// is on it. Nothing has changed unless the answer is `done`.
  expected<AdvanceAnswer> advance(const std::string& name, const OwnerBranch& branch, const std::string& commit,
                                  const git::Repository& bare, const std::string& source_ref) const;

 private:
  expected<bool> being_rebased(const std::string& name) const;
  expected<std::vector<std::string>> without_filters(const git::Repository& checkout) const;
  expected<std::string> filtered_file(const git::Repository& checkout, const std::string& from,
                                      const std::string& to) const;

  const git::Program* git_;
  git::Repository repository_;
};

/// Where landed work of the rig is pushed to: a remote of the owner's repository, or a place of its own; none is
/// nowhere.
expected<std::optional<git::Place>> pushed_to(const git::Program& git, const Rig& rig);

}  // namespace townd
