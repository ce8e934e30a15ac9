#include "server/secrets.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFromEnvironment = "env:";
constexpr std::string_view kFromFile = "file:";
constexpr std::size_t kSecretLength = 4096;

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

tl::unexpected<Error> SettingsFile::wrong(const std::string& key, const std::string& what) const {
  const auto line = node_.said.find(key);
  const bool known = line != node_.said.end() && line->second > 0;
  return fail(Error::Code::invalid,
              file_ + (known ? ":" + std::to_string(line->second) : "") + ": " + key + ": " + what,
              "correct the file; `town config` lists every key");
}

std::string SettingsFile::beside(const std::string& path) const {
  return (fs::absolute(file_).parent_path() / path).lexically_normal().string();
}

expected<std::string> read_secret(const SettingsFile& place, const std::string& key, const std::string& text) {
  if (text.starts_with(kFromEnvironment)) {
    const std::string name = text.substr(kFromEnvironment.size());
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return place.wrong(key, "there is no " + name + " in the environment");
    return std::string(value);
  }
  if (!text.starts_with(kFromFile)) return text;
  const std::string path = place.beside(text.substr(kFromFile.size()));
  std::error_code problem;
  if (fs::exists(path, problem) && !fs::is_regular_file(path, problem))
    return place.wrong(key, "cannot read " + path + ": it is no plain file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return place.wrong(key, "cannot read " + path + ": " + std::strerror(errno));
  std::string bytes(kSecretLength + 1, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > kSecretLength) return place.wrong(key, path + " is longer than 4 KiB");
  bytes = without_line_end(std::move(bytes));
  if (bytes.empty()) return place.wrong(key, path + " is empty");
  return bytes;
}

}  // namespace townd
