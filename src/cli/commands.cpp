#include "cli/commands.hpp"

#include <iterator>

namespace townd::cli {

const std::vector<Command>& all_commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> list;
    for (auto part : {demo_commands,  init_commands,   daemon_commands, setup_commands,    work_commands,
                      look_commands,  queue_commands,  past_commands,   replay_commands,   operate_commands,
                      speak_commands, talk_commands,   file_commands,   doctor_commands,   keep_commands,
                      token_commands, manual_commands, agent_commands,  molecule_commands, refine_commands}) {
      std::vector<Command> commands = part();
      std::move(commands.begin(), commands.end(), std::back_inserter(list));
    }
    return list;
  }();
  return all;
}

}  // namespace townd::cli
