#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "forge/host_settings.hpp"

namespace townd::test {

/// The fake GitHub, GitLab or Gitea of tests/fake_forge as a process of its own, over TLS, with a repository `you/shop`
/// to which `towny` may write. It ends with this object.
class FakeForge {
 public:
  explicit FakeForge(HostKind kind);
  ~FakeForge();
  FakeForge(const FakeForge&) = delete;
  FakeForge& operator=(const FakeForge&) = delete;

  /// Tells it what the world there is like; its README names the commands.
  json::value control(std::string_view command, const json::object& body) const;
  /// A commit on a branch of you/shop, made when missing.
  std::string push(const std::string& branch, const std::string& file, const std::string& text) const;
  /// A pull request of that branch to main. Answers its number.
  int open(const std::string& branch) const;
  /// Requests of townd's interface since a mark, and the mark of now.
  std::pair<int, std::int64_t> requests_since(std::int64_t mark) const;

  [[nodiscard]] HostSettings settings() const;
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  const HostKind kind_;
  std::filesystem::path folder_;
  pid_t process_ = 0;
  int input_ = -1;  ///< it ends when this is closed
  std::string host_;
  std::string control_;
  std::string token_;
};

}  // namespace townd::test
