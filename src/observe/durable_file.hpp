#pragma once

#include <filesystem>
#include <string>

#include "core/expected.hpp"

namespace townd {

/// The whole of `text` under this name, on the disk, or what was there before: written beside (`.part`), synced and
/// renamed. Readable by the owner only. The name is certain to outlive a power cut once the folder is synced.
expected<void> write_durably(const std::filesystem::path& file, const std::string& text);

void sync_folder(const std::filesystem::path& folder);

}  // namespace townd
