#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace townd::shim {

/// Takes the run's secrets out of what the agent prints, before it is written anywhere. They are the values of the
/// variables of its environment that are named as secrets are; `****` and their last four characters take their place.
class Redactor {
 public:
  /// `environment` as in environ(7).
  explicit Redactor(const char* const* environment);
  explicit Redactor(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {}

  /// What may be written now; the beginning of a secret is kept back until it is known to be none.
  std::string take(std::string_view bytes);
  /// What was kept back, once no more comes.
  std::string rest() { return std::exchange(kept_, {}); }

 private:
  std::vector<std::string> secrets_;
  std::string kept_;
};

}  // namespace townd::shim
