#pragma once

#include "server/operation.hpp"

/// The one table of operations. It links neither the engine nor HTTP, so that the command line can use it:
/// `townd_operations`.
namespace townd {

/// All operations.
const std::vector<Operation>& operations();
/// The operation of this name, or null.
const Operation* find_operation(std::string_view name);

}  // namespace townd
