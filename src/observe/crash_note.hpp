#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ports/observer.hpp"

namespace townd {

/// Where the note of a daemon with this data folder is.
std::string crash_note_file(const std::string& data);

/// From now on a fatal signal (SEGV, ABRT, BUS, FPE, ILL) and an exception that nobody catches leave a note in `file`:
/// signal, pid, time, version and the last addresses, before the process ends as it would have, with its core. An older
/// note stays. Once in a process, by its main program.
void note_crashes(const std::string& file, std::string_view version);

/// What the note of an earlier process says, as an alarm of kind `crash`; the note is removed.
std::optional<Alarm> take_crash_note(const std::string& file);

}  // namespace townd
