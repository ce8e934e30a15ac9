#include "observe/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace townd {
namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warn", "error"};
constexpr std::size_t kValueLimit =
    1000;  ///< a longer value is cut: a log line is for finding things, not for reading them

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '/' || c == ':' || c == '+' || c == '@' || c == ',';
}

/// Characters that turn the direction of text or end a line though they are no ASCII controls: U+0080–9F, U+061C,
/// U+200E–F, U+2028–202E, U+2066–9.
bool steers(std::uint32_t code) {
  return (code >= 0x80 && code < 0xa0) || code == 0x61c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_escaped(std::string& out, std::string_view value) {
  for (std::size_t i = 0; i < value.size();) {
    const auto byte = static_cast<unsigned char>(value[i]);
    std::uint32_t code = byte;
    std::size_t length = 1;
    if (byte >= 0xc2 && byte < 0xe0) length = 2;
    if (byte >= 0xe0 && byte < 0xf0) length = 3;
    if (byte >= 0xf0 && byte < 0xf5) length = 4;
    bool whole = i + length <= value.size();
    if (length > 1 && whole) {
      code = byte & (0xffu >> (length + 1));
      for (std::size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(value[i + k]);
        whole = whole && (next & 0xc0) == 0x80;
        code = (code << 6) | (next & 0x3fu);
      }
    }
    std::array<char, 12> escaped{};
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += value[i];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f || !whole || (length == 1 && byte >= 0x80)) {
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
      length = 1;
    } else if (length > 1 && steers(code)) {
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", code);
      out += escaped.data();
    } else {
      out += value.substr(i, length);
    }
    i += length;
  }
}

void append_value(std::string& out, std::string_view value) {
  const bool cut = value.size() > kValueLimit;
  if (cut) value = value.substr(0, kValueLimit);
  if (!cut && !value.empty() && std::all_of(value.begin(), value.end(), plain)) {
    out += value;
    return;
  }
  out += '"';
  append_escaped(out, value);
  out += cut ? "…\"" : "\"";
}

}  // namespace

LogLevel log_level(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? LogLevel::info : static_cast<LogLevel>(found - kNames.begin());
}

std::string log_line(LogLevel level, std::string_view message, const LogFields& fields) {
  std::string line = "level=" + std::string(kNames[static_cast<std::size_t>(level)]) + " msg=";
  append_value(line, message);
  for (const auto& [key, value] : fields) {
    if (value.empty()) continue;
    line += ' ';
    line += key;
    line += '=';
    append_value(line, value);
  }
  return line;
}

struct Log::State {
  spdlog::logger logger{"townd", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

Log::Log(LogLevel least) : state_(std::make_unique<State>()), least_(least) {
  state_->logger.set_level(spdlog::level::trace);
  state_->logger.set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc));
  state_->logger.flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, const LogFields& fields) {
  if (takes(level)) state_->logger.log(spdlog::level::info, "{}", log_line(level, message, fields));
}

}  // namespace townd
