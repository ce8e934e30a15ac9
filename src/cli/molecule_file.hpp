#pragma once

#include <string>

#include "codec/json.hpp"
#include "core/expected.hpp"

/// A bead's work in steps as people write it down, in TOML or JSON:
///
///     [[step]]
///     title = "Write the failing test"
///     instructions = "In tests/total_test.sh"
///     [[step]]
///     title = "Make it pass"
namespace townd::cli {

/// The steps for `molecule.create`. Unknown keys and a step without a title are errors.
expected<json::array> read_molecule_file(const std::string& path, const std::string& text);

}  // namespace townd::cli
