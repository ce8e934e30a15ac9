#pragma once

#include <span>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/expected.hpp"
#include "core/explain.hpp"
#include "core/tick.hpp"
#include "ports/store.hpp"

namespace townd {

/// A tick record as it is stored, with its format.
std::string encode_tick(const TickRecord& record);
expected<TickRecord> decode_tick(std::string_view text);

/// One action of a decision, with the rule that took it and the agent that applying it chose.
json::object decided_action_json(const Decided& decided, const ActionBody& body);
/// `plan --json` and the dry run: what ticks until `at` would decide, each action with its moment (interfaces.md,
/// Files). `complete` is false when more falls due by then than a dry run looks ahead.
json::object plan_json(std::span<const TimedTick> ticks, Instant at);
/// `why --json`.
json::object explanation_json(const Explanation& explanation);

}  // namespace townd
