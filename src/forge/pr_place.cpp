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

bool is_owner_and_name(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash != std::string_view::npos && is_name(path.substr(0, slash)) && is_name(path.substr(slash + 1));
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
  if (!is_owner_and_name(repository.path)) return std::nullopt;
  repository.path = lower(repository.path);
  return repository;
}

std::string PrPlace::url(HostKind) const {
  return "https://" + repository.host + "/" + repository.path + "/pull/" + std::to_string(number);
}

std::optional<PrPlace> read_pr_url(HostKind, std::string_view url) {
  static const std::regex kPage("https://([A-Za-z0-9.-]+(?::[0-9]{1,5})?)/([^/?#]+/[^/?#]+)/pull/([1-9][0-9]{0,8})");
  std::cmatch found;
  if (url.size() > kLongest || !std::regex_match(url.begin(), url.end(), found, kPage)) return std::nullopt;
  const auto repository = hosted_at("https://" + found[1].str() + "/" + found[2].str());
  if (!repository) return std::nullopt;
  PrPlace place{*repository, 0};
  const std::string number = found[3].str();
  std::from_chars(number.data(), number.data() + number.size(), place.number);
  return place;
}

}  // namespace townd
