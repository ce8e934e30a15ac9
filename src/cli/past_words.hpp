#pragma once

#include <string>

#include "cli/session.hpp"

namespace townd::cli {

/// `12:30:05` of an ISO time, with the date in front of it when it is not today's.
std::string clock_of(const std::string& iso);
/// A line of a bead's history without its time.
std::string history_in_words(const Terminal& terminal, const json::value& row);

}  // namespace townd::cli
