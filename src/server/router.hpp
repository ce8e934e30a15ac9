#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/operation.hpp"

namespace townd {

/// What a path asks for.
struct Route {
  const Operation* operation = nullptr;                         ///< null: no such path, or not with this method
  std::vector<std::pair<std::string, std::string>> parameters;  ///< `town` → `x`, decoded
  std::string allowed;                                          ///< the methods that the path knows, when it knows any

  /// The parameter's text, or an empty one when the path has none of this name.
  [[nodiscard]] std::string parameter(std::string_view name) const;
};

/// Finds the operation for a method and a path. Words of a pattern win over its parameters.
Route find_route(std::string_view method, std::string_view path);

}  // namespace townd
