#include "forge/pr_place.hpp"

#include <algorithm>
#include <charconv>
#include <regex>

#include "core/text.hpp"

namespace townd {
namespace {

constexpr std::size_t kLongest = 2000;

/// Letters, digits, dots, dashes and underscores; neither `.` nor `..`.
bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

/// Two names at least, and as many as GitLab takes at most.
bool is_repository_path(std::string_view path) {
  constexpr int kMostNames = 20;
  int names = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++names) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (!is_name(path.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return names >= 2 && names <= kMostNames;
}

/// What stands between a repository and the number of a pull request in the address of its page.
std::string_view page_of(HostKind kind) {
  switch (kind) {
    case HostKind::github: return "/pull/";
    case HostKind::gitlab: return "/-/merge_requests/";
    case HostKind::gitea: break;
  }
  return "/pulls/";
}

}  // namespace

std::optional<HostedRepository> hosted_at(std::string_view remote) {
  static const std::regex kUrl("(?:https|ssh)://(?:[^@/]*@)?([A-Za-z0-9.-]+(?::[0-9]{1,5})?)/([^?#]+)");
  static const std::regex kScp("[A-Za-z0-9_.-]+@([A-Za-z0-9.-]+):([^?#]+)");
  if (remote.size() > kLongest) return std::nullopt;
  std::cmatch found;
  if (!std::regex_match(remote.begin(), remote.end(), found, kUrl) &&
      !std::regex_match(remote.begin(), remote.end(), found, kScp))
    return std::nullopt;
  HostedRepository repository{lower(found[1].str()), found[2].str()};
  if (remote.starts_with("https://") && repository.host.ends_with(":443"))
    repository.host.resize(repository.host.size() - 4);
  if (repository.path.ends_with('/')) repository.path.pop_back();
  if (repository.path.ends_with(".git")) repository.path.resize(repository.path.size() - 4);
  if (!is_repository_path(repository.path)) return std::nullopt;
  repository.path = lower(repository.path);
  return repository;
}

bool can_have(HostKind kind, const HostedRepository& repository) {
  return kind == HostKind::gitlab || std::count(repository.path.begin(), repository.path.end(), '/') == 1;
}

std::string_view name_of(HostKind kind) {
  switch (kind) {
    case HostKind::github: return "github";
    case HostKind::gitlab: return "gitlab";
    case HostKind::gitea: break;
  }
  return "gitea";
}

std::string PrPlace::url(HostKind kind) const {
  return "https://" + repository.host + "/" + repository.path + std::string(page_of(kind)) + std::to_string(number);
}

std::optional<PrPlace> read_pr_url(HostKind kind, std::string_view url) {
  static const std::regex kRepository("https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^/?#]+)+");
  static const std::regex kNumber("[1-9][0-9]{0,8}");
  const std::string_view between = page_of(kind);
  const std::size_t at = url.rfind(between);
  if (url.size() > kLongest || at == std::string_view::npos) return std::nullopt;
  const std::string_view page = url.substr(0, at), number = url.substr(at + between.size());
  if (!std::regex_match(page.begin(), page.end(), kRepository)) return std::nullopt;
  if (!std::regex_match(number.begin(), number.end(), kNumber)) return std::nullopt;
  const auto repository = hosted_at(page);
  if (!repository || !can_have(kind, *repository)) return std::nullopt;
  PrPlace place{*repository, 0};
  std::from_chars(number.data(), number.data() + number.size(), place.number);
  return place;
}

}  // namespace townd
