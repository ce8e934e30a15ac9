#pragma once

#include <string>

#include "codec/config.hpp"
#include "core/expected.hpp"

namespace townd {

/// townd.toml beyond its keys: what is wrong with one, told as the file's other errors are, and what lies beside it.
class SettingsFile {
 public:
  SettingsFile(const NodeSettings& node, std::string file) : node_(node), file_(std::move(file)) {}

  [[nodiscard]] tl::unexpected<Error> wrong(const std::string& key, const std::string& what) const;
  [[nodiscard]] std::string beside(const std::string& path) const;

 private:
  const NodeSettings& node_;
  const std::string file_;
};

/// The text itself, or what it refers to: `env:NAME` or `file:PATH`, of at most 4 KiB.
expected<std::string> read_secret(const SettingsFile& file, const std::string& key, const std::string& text);

}  // namespace townd
