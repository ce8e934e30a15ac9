#pragma once

#include "codec/json.hpp"

namespace townd {

/// The table of operations as an OpenAPI 3.1 document: every path with its aliases, roles, fields and answers.
json::object openapi_document();

}  // namespace townd
