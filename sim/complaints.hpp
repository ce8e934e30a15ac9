#pragma once

#include <string>
#include <utility>
#include <vector>

namespace townd::sim {

/// What a fake port saw its caller do that no caller may do.
class Complaints {
 public:
  void add(std::string what) { all_.push_back(std::move(what)); }
  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

}  // namespace townd::sim
