#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace townd {

enum class LogLevel { debug, info, warn, error };

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// Structured lines on standard error: `2026-07-01T12:00:00.000Z level=info msg="…" town=x tick=5`. Values that are not
/// plain words are quoted; control and bidi characters are escaped, so that nothing from outside can forge a line or
/// steer a terminal. Thread-safe; fields without a value are left out. spdlog stays in log.cpp.
class Log {
 public:
  explicit Log(LogLevel least);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(LogLevel level, std::string_view message, const LogFields& fields = {});
  [[nodiscard]] bool takes(LogLevel level) const { return level >= least_; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  LogLevel least_;
};

/// `debug info warn error`; info for anything else.
LogLevel log_level(std::string_view name);

/// One line without its time: `level=info msg="…" key=value …`.
std::string log_line(LogLevel level, std::string_view message, const LogFields& fields);

}  // namespace townd
