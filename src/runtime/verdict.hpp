#pragma once

#include <string>

#include "ports/run_folder.hpp"
#include "ports/runtime.hpp"
#include "runtime/preset.hpp"
#include "runtime/stream.hpp"

namespace townd {

/// How a run ended, as its preset reads exit and stream.
struct RunVerdict {
  ProcessState state = ProcessState::unknown;  ///< `exited` or `failed`
  std::string reason;                          ///< name of an outcome, or empty: it simply ended
  std::string why;                             ///< in words, for people
};

RunVerdict judge(const Preset& preset, const run_folder::Status& status, const StreamReader& stream);

}  // namespace townd
