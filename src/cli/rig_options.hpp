#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/session.hpp"

namespace townd::cli {

/// What `rig add` and `init` take about a repository's tests.
std::vector<Param> rig_params();

/// The settings that the options name, as the daemon takes them.
json::object settings_said(const Values& values);

struct NewRig {
  std::string name;
  std::string git_url;
  std::string default_branch;
  json::object config;
  std::vector<std::string> told;  ///< lines for people: what was found and why
};

/// Looks at the repository and decides its gates: those given, else those found. None and no --no-gates is refused.
expected<NewRig> plan_rig(const std::string& path_or_url, const Values& values);

/// Puts the rig under the town's care and waits until its repository was cloned and looked at. Answers the daemon's
/// record of it.
expected<json::value> add_rig(Session& session, const NewRig& rig);

}  // namespace townd::cli
