#pragma once

#include <string>
#include <vector>

#include "core/expected.hpp"

/// What a repository tells about itself before a town works on it.
namespace townd::cli {

/// Commands that a checkout seems to be tested and prepared with.
struct FoundGates {
  std::vector<std::string> gates;
  std::string setup;                 ///< prepares a fresh clone; may be empty
  std::vector<std::string> because;  ///< a line for each gate: which file says so
};

FoundGates find_gates(const std::string& folder);

struct Checkout {
  std::string folder;  ///< the top of the work tree
  std::string name;    ///< last part of its path
  std::string branch;  ///< checked out; what work lands on unless told otherwise
  bool dirty = false;
};

/// Looks at a repository on this machine. Missing, not a repository, bare, without a commit or on no branch: an error
/// that says what to do.
expected<Checkout> look_at_checkout(const std::string& path);

/// The top of the work tree that contains `folder`, found without running git; empty outside of any.
std::string work_tree_around(const std::string& folder);

/// `https://…`, `ssh://…`, `git@host:path`, `file://…`: not a path on this machine.
bool is_url(const std::string& text);
/// The last part of a path or URL without `.git`.
std::string repository_name(const std::string& path_or_url);

}  // namespace townd::cli
