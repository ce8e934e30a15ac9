#include "git/names.hpp"

#include <algorithm>

namespace townd::git {
namespace {

bool in_branch(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-/+@=").find(c) != std::string_view::npos;
}

tl::unexpected<Error> refused(std::string_view name, const std::string& why) {
  std::string shown;
  for (const char c : name.substr(0, 80)) shown += static_cast<unsigned char>(c) >= 0x20 && c != 0x7f ? c : '?';
  return fail(Error::Code::invalid, "\"" + shown + "\" cannot be a branch: " + why,
              "use letters, digits, dashes and single slashes");
}

}  // namespace

expected<void> validate_branch_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;  // leaves room for refs/… and .lock in a file name of 255 bytes
  if (name.empty()) return refused(name, "it is empty");
  if (name.size() > kLongest) return refused(name, "it is longer than 200 characters");
  if (name.front() == '-') return refused(name, "it begins with a dash");
  if (name == "HEAD" || name == "@") return refused(name, "git means something else by it");
  if (!std::all_of(name.begin(), name.end(), in_branch)) {
    return refused(name, "it holds a character that is special to git or to a terminal");
  }
  if (name.find("..") != std::string_view::npos) return refused(name, "it holds \"..\"");
  if (name.find("@{") != std::string_view::npos) return refused(name, "it holds \"@{\"");
  for (std::string_view rest = name; !rest.empty() || name.back() == '/';) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return refused(name, "it has an empty part");
    if (part.front() == '.' || part.back() == '.') return refused(name, "a part of it begins or ends with a dot");
    if (part.ends_with(".lock")) return refused(name, "a part of it ends with .lock");
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return {};
}

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string without_credentials(std::string_view text) {
  std::string result;
  while (true) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return result + std::string(text);
    result += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const std::size_t host_end = std::min(text.find_first_of("/ \t\r\n'\""), text.size());
    const std::size_t at = text.substr(0, host_end).rfind('@');
    if (at != std::string_view::npos) text.remove_prefix(at + 1);
  }
}

bool is_local_path(std::string_view git_url) { return git_url.starts_with('/'); }

}  // namespace townd::git
