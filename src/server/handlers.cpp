#include "server/handlers.hpp"

#include <array>
#include <map>

namespace townd {

Handler find_handler(std::string_view operation) {
  static const std::map<std::string_view, Handler> all = [] {
    std::map<std::string_view, Handler> map;
    for (const auto page : std::array{node_handlers(), town_handlers(), config_handlers(), rig_handlers(),
                                      queue_handlers(), bead_handlers(), convoy_handlers(), molecule_handlers(),
                                      agent_handlers(), callback_handlers(), message_handlers(), mayor_handlers(),
                                      explain_handlers(), past_handlers(), doctor_handlers(), hook_handlers()})
      for (const NamedHandler& named : page) map.emplace(named.operation, named.handler);
    return map;
  }();
  const auto found = all.find(operation);
  return found == all.end() ? nullptr : found->second;
}

}  // namespace townd
