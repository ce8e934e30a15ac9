#pragma once

#include <string>
#include <vector>

#include "codec/json.hpp"
#include "core/expected.hpp"

/// A convoy as people write it down, in TOML or JSON:
///
///     title = "Totals"
///     [[task]]
///     name = "parse"
///     title = "Read the lines"
///     body = "…"                # or body_file = "parse.md", beside this file
///     [[task]]
///     title = "Add them up"
///     after = ["parse"]
namespace townd::cli {

struct ConvoyFile {
  json::object request;           ///< for `convoy.create`; rigs still by name
  std::vector<std::string> rigs;  ///< every rig that a task names
};

/// `text` is the file's; `path` is for messages and for body_file. Unknown keys, names used twice, and names that no
/// task has are errors.
expected<ConvoyFile> read_convoy_file(const std::string& path, const std::string& text);

}  // namespace townd::cli
