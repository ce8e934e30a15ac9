#pragma once

#include <string>

#include "core/expected.hpp"
#include "git/program.hpp"
#include "git/repository.hpp"
#include "ports/forge.hpp"

namespace townd {

/// Makes the rig's bare repository in `folder` from what its `git_url` names, or looks whether that still works and
/// fetches what is new. The target branch follows by fast-forward only; the rest is the landing's. A source that cannot
/// be used is an answer with `broken_reason`; an Error is something that may work again in a minute.
expected<RigFound> make_or_refresh(const git::Program& git, const Rig& rig, const std::string& folder);

/// Makes `ref` where `theirs` is, or moves it forward to there; what is no fast-forward stays.
expected<void> follow(const git::Repository& bare, const std::string& ref, const std::string& theirs);

}  // namespace townd
