#pragma once

#include <string>

#include "core/event.hpp"

/// What an agent is told of a pull request, whichever host it is at.
namespace townd {

/// As long as there is room.
void add_line(std::string& feedback, const std::string& line);
/// `login: text`, of a comment or a review.
std::string said_by(const std::string& login, const std::string& text);
/// `word` is how it ended.
void add_failing_check(events::PollAnswer& answer, const std::string& name, const std::string& word,
                       const std::string& page);
/// An unresolved thread, told by what stands in `description`.
void add_thread(events::PollAnswer& answer, const std::string& thread, const std::string& description);

}  // namespace townd
