#pragma once

#include <span>
#include <string_view>

namespace townd {

/// A kind of action that a rule may decide on.
struct RuleAction {
  std::string_view rule;
  std::string_view action;
};

/// All of them: metrics begin at 0 with each. A test lets random towns decide and looks for one that is missing here.
std::span<const RuleAction> rule_actions();

}  // namespace townd
