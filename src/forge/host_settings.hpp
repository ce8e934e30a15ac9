#pragma once

#include <string>
#include <vector>

#include "forge/pr_place.hpp"

namespace townd {

/// A host of pull requests that townd may use.
struct HostSettings {
  HostKind kind = HostKind::github;
  std::string host;               ///< `github.com`, `ghe.example:8443`
  std::string token;              ///< a secret; empty for an app
  std::string app_id;             ///< of a GitHub App, by whose installation townd is let in
  std::string app_key;            ///< its private key in PEM, a secret
  std::string installation;       ///< its number
  std::string webhook_secret;     ///< what its webhooks prove themselves with; empty: it sends none
  std::vector<std::string> bots;  ///< logins of programs whose comments are worked on
};

}  // namespace townd
