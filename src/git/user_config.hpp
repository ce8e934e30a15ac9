#pragma once

#include <string>
#include <string_view>

namespace townd::git {

/// What townd takes of the user's git config, as the text of a config file. `listed` is what
/// `git config --global --includes --null --list` says. Kept: `credential.*`, proxies and certificates of `http.*`,
/// and `url.*.insteadOf`; in particular nothing that names hooks, aliases, filters or an ssh command.
std::string allowed_user_config(std::string_view listed);

}  // namespace townd::git
