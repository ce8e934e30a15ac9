#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace townd {

/// What the local runtime is told when it is made. Paths are absolute.
struct LocalSettings {
  std::string data;                         ///< the data folder
  std::string shim;                         ///< the program townd-shim
  std::string bin;                          ///< the folder of `town`; first on every agent's PATH
  std::vector<std::string> preset_folders;  ///< share/presets, then the owner's
  std::string prompts;                      ///< share/prompts
  /// Where agents reach townd. It is alone in its folder, and sandboxes see that folder: a townd that starts again
  /// makes a new socket there, which agents at work must find.
  std::string agent_socket;
  std::string api_url;                 ///< GASTOWN_API_URL
  std::vector<std::string> read_only;  ///< further folders that sandboxes may read (a toolchain in a home folder)
  int max_agents = 0;                  ///< 0: from cores and memory
  bool cgroups = true;                 ///< false: limits are held by sampling
  Duration heartbeat = seconds(30);
  Duration grace = seconds(5);  ///< between TERM and KILL
  Duration setup = minutes(10);
};

/// Where one run has its things.
struct RunPlaces {
  std::string run;    ///< `runs/<run>`: what townd and its keeper say to each other
  std::string clone;  ///< what the agent works in
  std::string home;   ///< its private home folder
  std::string tmp;    ///< its temporary folder
};

}  // namespace townd
