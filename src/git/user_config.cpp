#include "git/user_config.hpp"

#include <algorithm>
#include <array>

namespace townd::git {
namespace {

/// `section.subsection.name` as git lists it: section and name in lower case, the subsection as it was written.
struct Key {
  std::string_view section;
  std::string_view subsection;
  std::string_view name;
};

Key split(std::string_view key) {
  const std::size_t first = key.find('.');
  if (first == std::string_view::npos) return {};
  const std::size_t last = key.rfind('.');
  if (first == last) return {key.substr(0, first), {}, key.substr(last + 1)};
  return {key.substr(0, first), key.substr(first + 1, last - first - 1), key.substr(last + 1)};
}

bool allowed(const Key& key) {
  static constexpr std::array<std::string_view, 11> kHttp = {
      "proxy",     "proxyauthmethod", "proxysslcert", "proxysslkey",          "proxysslcainfo",          "sslcainfo",
      "sslcapath", "sslcert",         "sslkey",       "schannelusesslcainfo", "sslcertpasswordprotected"};
  if (key.section == "credential") return true;
  if (key.section == "http") return std::find(kHttp.begin(), kHttp.end(), key.name) != kHttp.end();
  if (key.section == "url") return key.name == "insteadof" || key.name == "pushinsteadof";
  return false;
}

/// A value in double quotes; git reads back the very same bytes.
std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else if (c != '\0') {
      text += c;
    }
  }
  return text + '"';
}

}  // namespace

std::string allowed_user_config(std::string_view listed) {
  std::string text;
  while (!listed.empty()) {
    const std::size_t end = std::min(listed.find('\0'), listed.size());
    const std::string_view entry = listed.substr(0, end);
    listed.remove_prefix(std::min(end + 1, listed.size()));
    const std::size_t line = entry.find('\n');
    const Key key = split(entry.substr(0, line));
    // A subsection cannot hold a line break; git would not have listed one.
    if (!allowed(key) || key.subsection.find('\n') != std::string_view::npos) continue;
    text += "[" + std::string(key.section) + (key.subsection.empty() ? "" : " " + quoted(key.subsection)) + "]\n\t" +
            std::string(key.name);
    // Without a line break it was a bare `name`, which means true.
    if (line != std::string_view::npos) text += " = " + quoted(entry.substr(line + 1));
    text += '\n';
  }
  return text;
}

}  // namespace townd::git
