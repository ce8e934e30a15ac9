#pragma once

#include <string_view>

#include "codec/json.hpp"

namespace townd {

/// The schema of an answer's `data` by the name that the table of operations gives it. A test holds real answers
/// against these.
json::object answer_schema(std::string_view name);

}  // namespace townd
