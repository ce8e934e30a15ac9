#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "core/expected.hpp"

namespace townd {

/// The processes of all runs of a data folder, whoever still keeps them: those whose environment names a clone of it.
/// By the clone's name, which is the run's part of a path.
std::map<std::string, std::vector<pid_t>> processes_of_runs(const std::string& data);

/// Ends at once what is left of one run. `unavailable` when something stays.
expected<void> end_processes_of(const std::string& data, const std::string& run_part);

}  // namespace townd
