#pragma once

#include <span>
#include <string_view>

#include "server/call.hpp"

/// The handlers of all operations, one page for each part of the table.
namespace townd {

struct NamedHandler {
  std::string_view operation;
  Handler handler;
};

std::span<const NamedHandler> node_handlers();
std::span<const NamedHandler> town_handlers();
std::span<const NamedHandler> config_handlers();
std::span<const NamedHandler> rig_handlers();
std::span<const NamedHandler> queue_handlers();
std::span<const NamedHandler> bead_handlers();
std::span<const NamedHandler> convoy_handlers();
std::span<const NamedHandler> molecule_handlers();
std::span<const NamedHandler> agent_handlers();
std::span<const NamedHandler> callback_handlers();
std::span<const NamedHandler> message_handlers();
std::span<const NamedHandler> mayor_handlers();
std::span<const NamedHandler> explain_handlers();
std::span<const NamedHandler> past_handlers();
std::span<const NamedHandler> doctor_handlers();
std::span<const NamedHandler> hook_handlers();

/// The handler of an operation of the table, or null; a test holds that none is null.
Handler find_handler(std::string_view operation);

}  // namespace townd
