#pragma once

#include <functional>
#include <string>

#include "git/program.hpp"
#include "server/services.hpp"

namespace townd {

/// Reads differences out of the rigs' own repositories under `data`.
std::function<expected<std::string>(const DiffSpec&)> diff_reader(git::Program git, std::string data);

}  // namespace townd
