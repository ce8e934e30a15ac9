#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/expected.hpp"
#include "git/program.hpp"
#include "git/repository.hpp"

namespace townd::git {

/// Another repository that townd fetches from or pushes to: the owner's own folder or a host.
struct Place {
  std::string address;
  Transport transport = Transport::network;
};

/// What a rig's `git_url` or `push_remote` says: an absolute path, an https or ssh URL, or `user@host:path`. Anything
/// else is refused with what would be right.
expected<Place> place_of(const std::string& address);

/// The tip of a branch there; none when it has no such branch.
expected<std::optional<std::string>> tip_at(const Program& git, const Place& place, const std::string& branch);

/// Fetches into `repository` by refspecs. Objects are checked; nothing but what the refspecs name is written.
expected<void> fetch(const Repository& repository, const Place& from, const std::vector<std::string>& refspecs);

enum class Pushed { yes, moved, refused };
struct PushAnswer {
  Pushed result = Pushed::refused;
  std::string why;
};
/// Points `branch` there to `commit` if it still points to `expected_tip` (empty: does not exist).
expected<PushAnswer> push(const Program& git, const Repository& from, const Place& to, const std::string& branch,
                          const std::string& commit, const std::string& expected_tip);

/// Whether bubblewrap works here. What an agent could write is then read inside a sandbox of its own.
bool sandbox_works();

/// Fetches into `bare` out of a folder that an agent could write. Its configuration, hooks, links and alternates are
/// the agent's, so the far side of the fetch runs in a sandbox that has nothing but that folder and the objects of
/// `bare`, and no network. Where bubblewrap does not work (`sandboxed` false), agents run unconfined as well, and git's
/// own care has to do: no hooks run on that side, objects that are missing are not fetched.
expected<void> fetch_from_clone(const Repository& bare, const std::string& folder,
                                const std::vector<std::string>& refspecs, bool sandboxed);

}  // namespace townd::git
