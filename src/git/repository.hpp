#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "git/program.hpp"

namespace townd::git {

/// A repository on this machine and the questions townd asks of it. Holds nothing but its place.
class Repository {
 public:
  /// `git_dir` is the repository's own folder; its configuration is townd's.
  static Repository bare(const Program& git, std::string git_dir);
  /// `folder` holds a checkout: the owner's, or a run's clone.
  static Repository checkout(const Program& git, std::string folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  expected<Finished> call(std::vector<std::string> args, const Call& call = {}) const;
  /// Standard output of a call that must succeed; `doing` says what it was for.
  expected<std::string> text(std::vector<std::string> args, const std::string& doing, const Call& call = {}) const;

  /// The commit that a full ref name or an object id leads to; none when there is no such.
  expected<std::optional<std::string>> commit_of(const std::string& ref_or_id) const;
  /// The commit that HEAD leads to; none before the first commit.
  expected<std::optional<std::string>> head() const { return commit_of("HEAD"); }
  /// Whether every commit of `ancestor` is one of `descendant`. Both must be there.
  expected<bool> is_ancestor(const std::string& ancestor, const std::string& descendant) const;

  /// Points `ref` to `to` if it points to `from` (empty: does not exist). False when it points elsewhere.
  expected<bool> compare_and_swap(const std::string& ref, const std::string& to, const std::string& from) const;
  /// Points `ref` to `to`, whatever it was.
  expected<void> point(const std::string& ref, const std::string& to) const;

 private:
  Repository(const Program& git, std::string folder, bool bare) : git_(&git), folder_(std::move(folder)), bare_(bare) {}

  const Program* git_;
  std::string folder_;
  bool bare_;
};

}  // namespace townd::git
