#pragma once

#include <functional>

#include "engine/engine.hpp"
#include "ports/store.hpp"
#include "server/doctor/finding.hpp"
#include "server/doctor/known.hpp"

/// What is looked for in one town as it is now. Nothing here reads a clock or leaves the process.
namespace townd::doctor {

/// Has a quarantined event of a town tried again.
using RetryEvent = std::function<expected<void>(const TownId& town, std::int64_t seq)>;

void check_stopped(const Engine::View& view, Report& report);
void check_quarantine(const Engine::View& view, const RetryEvent& retry, Report& report);
void check_doubts(const Engine::View& view, Report& report);
void check_presets(const Engine::View& view, Report& report);
void check_invariants(const Engine::View& view, Report& report);
/// Work that waits for a good reason (held, blocked, paused, a budget, somebody is at work on it) is not stuck.
void check_stuck_work(const Engine::View& view, Report& report);

/// Keeps a token as it shall be from now on.
using PutToken = std::function<expected<void>(const TokenRow& row)>;
void check_tokens(const std::vector<TokenRow>& tokens, const Known& known, Instant now, const PutToken& put,
                  Report& report);

}  // namespace townd::doctor
