#pragma once

#include <string>

#include "core/expected.hpp"
#include "core/ids.hpp"
#include "git/repository.hpp"

namespace townd {

/// A run's clone and what of it is wanted.
struct CloneWork {
  RunId run_id;
  std::string folder;  ///< the clone
  std::string branch;  ///< where the run was told to work; may be empty or missing
  bool sandboxed = true;
};

/// Fetches all commits that the clone's HEAD and branches lead to, and points `refs/town/<run>` to the run's work: the
/// tip of its branch, or HEAD when there is no such branch or HEAD is further along it. What `refs/town/<run>` does not
/// contain stays under `refs/town-clone/<run>/`. Answers the commit.
expected<std::string> collect_clone(const git::Repository& bare, const CloneWork& work);

}  // namespace townd
