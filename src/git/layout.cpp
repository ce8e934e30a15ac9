#include "git/layout.hpp"

#include <string_view>

namespace townd::git {

std::string rig_repository(const std::string& data, const RigId& rig) {
  return data + "/rigs/" + path_part(rig.text) + "/repo.git";
}

std::string clone_folder(const std::string& data, const RunId& run) { return data + "/clones/" + path_part(run.text); }

std::string run_ref(const RunId& run) { return "refs/town/" + path_part(run.text); }

std::string path_part(const std::string& id) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string part;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    // A leading dash could be read as an option.
    if (kPlain.find(c) != std::string_view::npos && !(part.empty() && c == '-')) {
      part += c;
    } else {
      part += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return part;
}

}  // namespace townd::git
