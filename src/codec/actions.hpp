#pragma once

#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/action.hpp"
#include "core/effect.hpp"
#include "core/expected.hpp"
#include "ports/store.hpp"

namespace townd {

/// `{"type": "dispatch_agent", "agent_id": "", …}`: every field, also empty ones, as docs/actions.md lists them.
json::object action_json(const ActionBody& body);

/// An effect's kind and the rest of it as a JSON object.
struct EffectText {
  std::string kind;
  std::string body;
};
EffectText encode_effect(const EffectBody& effect);
expected<EffectBody> decode_effect(const EffectText& text);
/// What became of it, as it is stored and shown.
std::string_view effect_state_text(EffectState state);
EffectState effect_state(std::string_view text);

}  // namespace townd
