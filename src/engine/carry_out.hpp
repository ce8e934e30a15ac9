#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "engine/engine.hpp"
#include "engine/run_tokens.hpp"

namespace townd {

/// What an effect came to.
struct Found {
  EffectState state = EffectState::done;
  std::string detail;
  std::optional<EventBody> fact;
  bool again = false;  ///< not over: to be tried once more
};

/// Done in the I/O pool: may block, and has everything it needs with it.
using Job = std::function<Found()>;

struct Hands {
  Ports ports;
  Limits run_limits;
  std::shared_ptr<RunTokens> tokens;
};

/// What there is to do outside for an effect of a town, read from its committed state; or what became of it when there
/// is nothing to do any more.
std::variant<Job, Found> carry_out(const Hands& hands, const Town& town, const Effect& effect, Instant now);

/// Whether an effect of unknown outcome is still open: what was seen since has not settled it.
bool still_in_doubt(const Town& town, const Effect& effect);

/// The fact that a look at a rig's repository comes to: what could not be looked at is broken.
events::RigChecked rig_checked(const RigId& rig, const expected<RigFound>& found);
/// Where a run's work is.
CollectSpec work_of(const Town& town, const Run& run);
/// What is needed to start or remind a run, but for its token and texts.
std::optional<AgentSpec> spec_of(const Town& town, const RunId& run, const Limits& limits);
/// Reads the texts that an assignment names.
expected<Texts> texts_for(Store& store, const Assignment& assignment);

}  // namespace townd
