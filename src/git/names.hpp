#pragma once

#include <string>
#include <string_view>

#include "core/expected.hpp"

namespace townd::git {

/// Whether `name` may be a branch: git's own rules (git-check-ref-format), and nothing that could be read as an option,
/// a path upwards, a revision expression or a control sequence. Only ASCII letters, digits and `. _ - / + @ =` pass.
expected<void> validate_branch_name(std::string_view name);

/// 40 or 64 lower-case hexadecimal digits.
bool is_object_id(std::string_view text);

/// The URL without user and password; what is shown to people and written to logs.
std::string without_credentials(std::string_view text);

/// Whether a rig's `git_url` is a path on this machine and not a URL or an `ssh` address.
bool is_local_path(std::string_view git_url);

}  // namespace townd::git
