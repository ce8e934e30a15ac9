#include "server/forge_settings.hpp"

#include <algorithm>

#include "forge/app_token.hpp"
#include "server/secrets.hpp"

namespace townd {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

expected<void> read_app(const GitHubSettings& github, const SettingsFile& file, HostSettings& host) {
  if (!github.token.empty())
    return file.wrong("github.app_id", "there is a github.token already; one of them is enough");
  if (!is_number(github.app_id)) return file.wrong("github.app_id", "it is a number, on the app's page");
  if (!is_number(github.app_installation))
    return file.wrong("github.app_installation", "it is a number, the last part of the installation's address");
  if (github.app_key.empty()) return file.wrong("github.app_key", "the app has to sign with it");
  auto key = read_secret(file, "github.app_key", github.app_key);
  if (!key) return tl::unexpected(key.error());
  if (const auto signs = app_token(github.app_id, *key, Instant{}); !signs)
    return file.wrong("github.app_key", signs.error().what);
  host.app_id = github.app_id;
  host.app_key = std::move(*key);
  host.installation = github.app_installation;
  return {};
}

}  // namespace

expected<std::vector<HostSettings>> forge_settings(const NodeSettings& node, const std::string& file) {
  const SettingsFile place(node, file);
  const GitHubSettings& github = node.github;
  std::vector<HostSettings> hosts;
  if (!github.set_up()) return hosts;
  const auto named = hosted_at("https://" + github.host + "/owner/name");
  if (!named) return place.wrong("github.host", "\"" + github.host + "\" is no name of a host, such as github.com");
  HostSettings host;
  host.host = named->host;
  host.bots = github.bots;
  if (!github.app_id.empty()) {
    if (const auto read = read_app(github, place, host); !read) return tl::unexpected(read.error());
  } else {
    auto token = read_secret(place, "github.token", github.token);
    if (!token) return tl::unexpected(token.error());
    if (token->find_first_of(" \t\r\n") != std::string::npos)
      return place.wrong("github.token", "a token has no spaces or line ends");
    host.token = std::move(*token);
  }
  auto word = read_secret(place, "github.webhook_secret", github.webhook_secret);
  if (!word) return tl::unexpected(word.error());
  host.webhook_secret = std::move(*word);
  hosts.push_back(std::move(host));
  return hosts;
}

}  // namespace townd
