#pragma once

#include <string>

#include "core/ids.hpp"

/// Where townd keeps repositories, and the names of its own refs in them.
namespace townd::git {

/// `<data>/rigs/<rig>/repo.git`: the rig's repository that only townd touches.
std::string rig_repository(const std::string& data, const RigId& rig);
/// `<data>/clones/<run>`: where a run works.
std::string clone_folder(const std::string& data, const RunId& run);
/// `refs/town/<run>`: the work of a run, in the rig's repository.
std::string run_ref(const RunId& run);

/// An id as one part of a path or ref: letters, digits, `_` and `-` stay, all else is `%XX`. Ids of imported towns may
/// hold anything.
std::string path_part(const std::string& id);

}  // namespace townd::git
