#pragma once

#include <vector>

#include "cli/command.hpp"

/// The commands of `town`, a function for each file of them.
namespace townd::cli {

std::vector<Command> daemon_commands();    ///< up down
std::vector<Command> setup_commands();     ///< new rig config
std::vector<Command> init_commands();      ///< init
std::vector<Command> demo_commands();      ///< demo
std::vector<Command> work_commands();      ///< sling convoy
std::vector<Command> look_commands();      ///< status show diff beads agents convoys reviews
std::vector<Command> queue_commands();     ///< queue
std::vector<Command> past_commands();      ///< log logs why
std::vector<Command> replay_commands();    ///< replay
std::vector<Command> operate_commands();   ///< pause resume drain cancel reopen retry reset
std::vector<Command> speak_commands();     ///< nudge mail escalations ack triage
std::vector<Command> talk_commands();      ///< talk reply
std::vector<Command> token_commands();     ///< token
std::vector<Command> file_commands();      ///< plan scenario export import
std::vector<Command> keep_commands();      ///< agent version
std::vector<Command> doctor_commands();    ///< doctor
std::vector<Command> manual_commands();    ///< completion manual
std::vector<Command> refine_commands();    ///< refine
std::vector<Command> agent_commands();     ///< what agents call from their clones
std::vector<Command> molecule_commands();  ///< mol

/// All of them, in the order of `town --help`.
const std::vector<Command>& all_commands();

}  // namespace townd::cli
