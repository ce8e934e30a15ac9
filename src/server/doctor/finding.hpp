#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/expected.hpp"

/// What `town doctor` looks for and what it finds.
namespace townd::doctor {

/// One thing that is looked for; docs/doctor.md has a row for each.
struct Check {
  std::string_view name;
  std::string_view meaning;  ///< one line
  bool live = true;          ///< it takes a running daemon
};
std::span<const Check> checks();

enum class Severity { error, warning };

/// One thing that is wrong.
struct Finding {
  std::string_view check;
  Severity severity = Severity::error;
  std::string town;     ///< id; empty: of the node
  std::string subject;  ///< id, name or path
  std::string what;
  std::string advice;  ///< what a person can do, mostly a command
  /// Puts it right; empty where only a person should.
  std::function<expected<void>()> repair = {};
  bool fixed = false;
};

/// A check that could not be made: that it found nothing says nothing.
struct Unmade {
  std::string_view check;
  std::string because;
};

struct Report {
  std::vector<Finding> findings;
  std::vector<Unmade> unmade;

  /// Carries out every repair there is; of one that fails the finding says why.
  void repair();
  void cannot_make(std::string_view check, const Error& error);
  [[nodiscard]] json::object shape() const;
};

}  // namespace townd::doctor
