#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

/// `town demo`: a town of its own in a folder of its own, from nothing to a convoy that has landed, with proof.
namespace townd::cli::demo {

/// Where everything of one demo is; all of it goes when the demo ends.
struct Places {
  std::string folder;
  std::string repository;  ///< what stands for a person's own checkout
  std::string data;        ///< the daemon's
};

/// Makes the folder, the repository with its first commit and the daemon's settings.
expected<Places> make_places();
void remove_places(const Places& places);

/// Whether agents can be sandboxed on this machine.
bool sandbox_works();

/// Ctrl-C and the like: the demo stops, cleans up and ends.
void catch_interrupts();
bool interrupted();

/// Shows the convoy's work as it moves until the convoy has ended. A daemon that dies is started again.
expected<void> watch(Session& session, const Places& places, const std::string& convoy);

/// Asks git, on main of the repository: is every bead's commit an ancestor of main, is each merged exactly once, and is
/// the gate green in a fresh clone? Answers one line for each thing proven.
expected<std::vector<std::string>> prove(Session& session, const Places& places, const std::string& convoy);

/// The arguments of the demo's daemon.
std::vector<std::string> daemon_arguments(const Places& places);

}  // namespace townd::cli::demo
