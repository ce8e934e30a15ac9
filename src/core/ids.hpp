#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace townd {

/// A name of a thing in a town. Ids of different kinds do not mix. The order is length first, then bytes, so that
/// `x-9` comes before `x-10`; it is the order of every iteration in core. Empty means "none".
template <class Tag>
struct Id {
  std::string text;

  Id() = default;
  explicit Id(std::string_view value) : text(value) {}

  [[nodiscard]] bool empty() const { return text.empty(); }
  explicit operator bool() const { return !text.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend std::strong_ordering operator<=>(const Id& a, const Id& b) {
    if (const auto by_length = a.text.size() <=> b.text.size(); by_length != 0) return by_length;
    return a.text <=> b.text;
  }
};

using TownId = Id<struct TownTag>;
using RigId = Id<struct RigTag>;
using BeadId = Id<struct BeadTag>;
using AgentId = Id<struct AgentTag>;
using RunId = Id<struct RunTag>;
/// A nudge or a mail.
using MessageId = Id<struct MessageTag>;

/// Assignee of landing requests and other work of the town itself; never an agent, never cleared (domain.md R1b).
inline constexpr std::string_view kSystemActor = "system";

}  // namespace townd
