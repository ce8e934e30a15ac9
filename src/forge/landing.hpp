#pragma once

#include <string>

#include "git/program.hpp"
#include "git/repository.hpp"
#include "ports/forge.hpp"

namespace townd {

/// domain.md §6, verify_merge, for strategy `direct`. The order makes a repetition after a crash at any point
/// harmless: proof, then all that could hold the landing, then the host, then the owner's repository, and townd's own
/// branch last, so that it never runs ahead of the places that people look at.
expected<events::GitMergeResult> land_commit(const git::Program& git, const git::Repository& bare,
                                             const LandSpec& spec);

}  // namespace townd
