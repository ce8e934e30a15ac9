#include "cli/gate.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
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

using Words = std::vector<std::string>;

/// Loopback only, and no sight of other processes: their environment has the run's token.
const Words kOwnProcesses = {"bwrap", "--dev-bind",       "/", "/", "--unshare-net", "--unshare-pid", "--proc",
                             "/proc", "--die-with-parent"};

/// What /proc/<pid>/stat says of a process; parent 0 when it is gone.
struct Standing {
  int parent = 0;
  std::uint64_t started = 0;  ///< in clock ticks since the machine's start
};
Standing standing_of(int pid) {
  constexpr int kBetween = 17;  // fields between the parent and the start
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name in brackets is the process's own, and may hold anything.
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 2)));
  Standing found;
  std::string skipped;
  rest >> skipped >> found.parent;
  for (int i = 0; i < kBetween; ++i) rest >> skipped;
  rest >> found.started;
  return found;
}

/// Ourselves, those who started us, and whoever was there before: they may have the token. What we started ourselves
/// has not, and may be gone in the next moment.
std::vector<int> others() {
  std::vector<int> pids;
  for (int pid = ::getpid(); pid > 0; pid = standing_of(pid).parent) pids.push_back(pid);
  const std::uint64_t ours = standing_of(::getpid()).started;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    const std::string name = entry.path().filename().string();
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
    const Standing standing = standing_of(pid);
    const bool known = std::find(pids.begin(), pids.end(), pid) != pids.end();
    if (!known && standing.parent > 0 && standing.started < ours) pids.push_back(pid);
  }
  return pids;
}

/// The same where a /proc of one's own cannot be mounted, as in root's sandbox (bubblewrap covers parts of root's
/// /proc, and the kernel then refuses a fresh one): the one of the sandbox, with every process covered up that is not
/// ours.
Words covered_processes() {
  Words words = {"bwrap", "--dev-bind", "/", "/", "--unshare-net", "--unshare-pid"};
  for (const int pid : others()) words.insert(words.end(), {"--tmpfs", "/proc/" + std::to_string(pid)});
  words.emplace_back("--die-with-parent");
  return words;
}

bool works(Words wrapper, const std::vector<std::string>& env) {
  Command probe;
  probe.argv = std::move(wrapper);
  probe.argv.emplace_back("true");
  probe.env = env;
  probe.timeout = std::chrono::seconds(10);
  const auto finished = run(probe);
  return finished && finished->ok();
}

GateRunner::Wrapper find_wrapper(const std::vector<std::string>& env) {
  if (works(kOwnProcesses, env)) return GateRunner::Wrapper::own_processes;
  return works(covered_processes(), env) ? GateRunner::Wrapper::covered_processes : GateRunner::Wrapper::none;
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

expected<Finished> GateRunner::run_gate(const std::string& gate,
                                        const std::function<void(std::string_view)>& echo) const {
  Command command;
  command.echo = echo;
  if (wrapper_ == Wrapper::own_processes) command.argv = kOwnProcesses;
  if (wrapper_ == Wrapper::covered_processes) command.argv = covered_processes();
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
