#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "observe/alert.hpp"
#include "observe/log.hpp"
#include "observe/sent.hpp"

namespace townd {

/// How long a command may take over one alert.
inline constexpr std::chrono::milliseconds kAlertCommandTime{10'000};

/// Runs a program of this machine with an alert as its input: no shell, an environment of PATH, HOME, LANG and
/// TOWND_ALERT (the alert's id), nothing else inherited. Whatever it started and left running ends with it. What it
/// prints goes to the log at level debug. Any end but exit code 0 is a failure that is tried again.
Sent run_alert_command(const std::vector<std::string>& command, const Alert& alert, Log& log,
                       std::chrono::milliseconds timeout = kAlertCommandTime);

}  // namespace townd
