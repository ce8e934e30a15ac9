#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/rule.hpp"

namespace townd {

/// One rule's answer about one subject, put into words.
struct Explained {
  std::string_view rule;
  enum class Kind { act, wait, hold } kind = Kind::hold;
  std::string because;
  Instant until = kNever;
  Reason reason = Reason::none;  ///< what `because` words; of one that acts none
};

struct Explanation {
  std::string id;
  std::string status;
  std::vector<Explained> decisions;  ///< every rule that concerns it; never empty for a live issue, request or convoy
  std::string next;                  ///< what happens next, or what a person could do
};

/// Why a bead, agent, rig or message is where it is, by the same functions that decide. Empty decisions: unknown id.
Explanation explain(const Town& town, std::string_view id, Instant now);

}  // namespace townd
