#pragma once

#include <functional>
#include <string>

#include "server/doctor/finding.hpp"

/// What can be seen of a data folder whether a daemon runs on it or not.
namespace townd::doctor {

/// Others may not read what is in there; `repair` takes their rights away.
void check_modes(const std::string& data, Report& report);
/// Folders that townd writes to and cannot: what waits there for people is in memory alone.
void check_folders(const std::string& data, Report& report);
void check_disk(const std::string& data, Report& report);
/// `look` looks at every page.
void check_pages(const std::function<expected<void>()>& look, Report& report);

}  // namespace townd::doctor
