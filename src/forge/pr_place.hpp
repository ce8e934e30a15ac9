#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace townd {

/// What a host of pull requests runs.
enum class HostKind { github, gitlab, gitea };  ///< a Forgejo is a Gitea

/// `github`, `gitlab`, `gitea`: its section in townd.toml and the end of its webhooks' address.
std::string_view name_of(HostKind kind);

/// A repository at a host.
struct HostedRepository {
  std::string host;  ///< `github.com`, `ghe.example:8443`
  std::string path;  ///< `owner/name`; at GitLab `group/subgroup/name` too
  friend bool operator==(const HostedRepository&, const HostedRepository&) = default;
};

/// Where a git remote is hosted: `https://host/owner/name.git`, `ssh://git@host/owner/name` or `git@host:owner/name`.
/// None for a path, and for what has no owner and name. Names are compared in lower case, as hosts do.
std::optional<HostedRepository> hosted_at(std::string_view remote);
/// Only GitLab has groups within groups.
bool can_have(HostKind kind, const HostedRepository& repository);

/// A pull request.
struct PrPlace {
  HostedRepository repository;
  int number = 0;

  [[nodiscard]] std::string url(HostKind kind) const;
};

/// A pull request's page, taken apart strictly: no user, no query, nothing behind the number. None when it is none.
std::optional<PrPlace> read_pr_url(HostKind kind, std::string_view url);

}  // namespace townd
