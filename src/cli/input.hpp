#pragma once

#include <string>

#include "core/expected.hpp"

namespace townd::cli {

/// A text given on the command line: `-` is standard input, anything else is itself.
expected<std::string> text_given(const std::string& given);

/// A whole file, at most `limit` bytes.
expected<std::string> file_contents(const std::string& path, std::size_t limit);

/// Writes a file whole: a reader sees the old one or the new one.
expected<void> write_whole(const std::string& path, const std::string& contents);

}  // namespace townd::cli
