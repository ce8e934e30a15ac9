#pragma once

#include <map>
#include <string>
#include <vector>

namespace townd {

/// The rows of the tables in a page of docs/ whose first column is a name, written | `name` |; under the name all
/// cells.
std::multimap<std::string, std::vector<std::string>> table_of(const std::string& page);

}  // namespace townd
