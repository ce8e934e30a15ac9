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

/// What every kind of host has.
template <class Settings>
expected<HostSettings> read_host(HostKind kind, const Settings& settings, const SettingsFile& file) {
  const std::string section(name_of(kind));
  const auto named = hosted_at("https://" + settings.host + "/owner/name");
  if (!named || named->path != "owner/name")
    return file.wrong(section + ".host", "\"" + settings.host + "\" is no name of a host, such as " + section + ".com");
  HostSettings host;
  host.kind = kind;
  host.host = named->host;
  host.bots = settings.bots;
  auto token = read_secret(file, section + ".token", settings.token);
  if (!token) return tl::unexpected(token.error());
  if (token->find_first_of(" \t\r\n") != std::string::npos)
    return file.wrong(section + ".token", "a token has no spaces or line ends");
  host.token = std::move(*token);
  auto word = read_secret(file, section + ".webhook_secret", settings.webhook_secret);
  if (!word) return tl::unexpected(word.error());
  host.webhook_secret = std::move(*word);
  return host;
}

/// A host may be named once: its kind would depend on where one looks.
template <class Settings>
expected<void> add_host(HostKind kind, const Settings& settings, const SettingsFile& file,
                        std::vector<HostSettings>& hosts) {
  if (!settings.set_up()) return {};
  auto host = read_host(kind, settings, file);
  if (!host) return tl::unexpected(host.error());
  for (const HostSettings& other : hosts)
    if (other.host == host->host)
      return file.wrong(std::string(name_of(kind)) + ".host",
                        host->host + " is in [" + std::string(name_of(other.kind)) + "] already");
  hosts.push_back(std::move(*host));
  return {};
}

}  // namespace

expected<std::vector<HostSettings>> forge_settings(const NodeSettings& node, const std::string& file) {
  const SettingsFile place(node, file);
  std::vector<HostSettings> hosts;
  if (const auto added = add_host(HostKind::github, node.github, place, hosts); !added)
    return tl::unexpected(added.error());
  if (!node.github.app_id.empty())
    if (const auto read = read_app(node.github, place, hosts.back()); !read) return tl::unexpected(read.error());
  if (const auto added = add_host(HostKind::gitlab, node.gitlab, place, hosts); !added)
    return tl::unexpected(added.error());
  if (const auto added = add_host(HostKind::gitea, node.gitea, place, hosts); !added)
    return tl::unexpected(added.error());
  return hosts;
}

WebhookProof proof_of(HostKind kind) {
  return kind == HostKind::gitlab ? WebhookProof::token : WebhookProof::signature;
}

}  // namespace townd
