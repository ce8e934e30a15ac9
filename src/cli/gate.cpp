#include "cli/gate.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace townd {
namespace {

/// What is kept of a gate's output, its end; as much as a prompt shows (interfaces.md, "Text from outside").
constexpr std::size_t kOutput = 20'000;

std::vector<std::string> gate_environment() {
  std::vector<std::string> env = {"PATH=" + own_path(), "CI=true"};
  for (const char* name : {"HOME", "LANG", "LC_ALL", "TERM", "TZ", "TMPDIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr) env.push_back(std::string(name) + "=" + value);
  }
  return env;
}

/// The strongest wrapper that works here. A process namespace of its own also hides our environment with its token.
std::vector<std::string> find_wrapper(const std::vector<std::string>& env) {
  const std::array<std::vector<std::string>, 2> wrappers = {{
      {"bwrap", "--dev-bind", "/", "/", "--unshare-net", "--unshare-pid", "--proc", "/proc", "--die-with-parent"},
      {"bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent"},
  }};
  for (const std::vector<std::string>& wrapper : wrappers) {
    Command probe;
    probe.argv = wrapper;
    probe.argv.push_back("true");
    probe.env = env;
    probe.timeout = std::chrono::seconds(10);
    const auto finished = run(probe);
    if (finished && finished->ok()) return wrapper;
  }
  return {};
}

/// How long the UTF-8 sequence at the start of `text` is, or 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond Unicode.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return length;
}

}  // namespace

GateRunner::GateRunner(std::string folder, std::chrono::milliseconds timeout)
    : folder_(std::move(folder)), timeout_(timeout), env_(gate_environment()), wrapper_(find_wrapper(env_)) {}

expected<Finished> GateRunner::run_gate(const std::string& gate) const {
  Command command;
  command.argv = wrapper_;
  command.argv.insert(command.argv.end(), {"sh", "-c", gate});
  command.env = env_;
  command.cwd = folder_;
  command.timeout = timeout_;
  command.output_limit = kOutput;
  command.keep = Keep::tail;
  command.merge_stderr = true;
  return run(command);
}

std::string clean_text(const std::string& output) {
  std::string text;
  for (std::string_view rest = output; !rest.empty();) {
    const std::size_t length = sequence_length(rest);
    const char c = rest.front();
    const bool control = length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && c != '\n' && c != '\t';
    if (length == 0) {
      text += '?';
    } else if (!control) {
      text += rest.substr(0, length);
    }
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

}  // namespace townd
