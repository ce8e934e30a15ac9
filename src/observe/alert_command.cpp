#include "observe/alert_command.hpp"

#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "git/spawn.hpp"

namespace townd {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCommandOutput = 4096;
constexpr int kRoundsOfKilling = 10;  ///< one that starts others faster than they are found is a fork bomb

/// Processes whose environment has this entry. One that went into a group of its own still has it.
std::vector<pid_t> processes_with(const std::string& entry) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string name = process.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    std::ifstream file(process.path() / "environ", std::ios::binary);
    const std::string environment = '\0' + std::string{std::istreambuf_iterator<char>(file), {}};
    if (environment.find('\0' + entry + '\0') != std::string::npos) found.push_back(pid);
  }
  return found;
}

void end_all_with(const std::string& entry) {
  for (int round = 0; round < kRoundsOfKilling; ++round) {
    const std::vector<pid_t> left = processes_with(entry);
    if (left.empty()) return;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
  }
}

std::string how_it_ended(const Finished& finished) {
  if (finished.timed_out) return "it took longer than " + std::to_string(finished.took.count() / 1000) + " s";
  if (finished.signal != 0) return "it was ended by signal " + std::to_string(finished.signal);
  return "it ended with " + std::to_string(finished.exit_code);
}

}  // namespace

Sent run_alert_command(const std::vector<std::string>& command, const Alert& alert, Log& log,
                       std::chrono::milliseconds timeout) {
  const char* home = std::getenv("HOME");
  const std::string mark = "TOWND_ALERT=" + alert.id;
  Command program;
  program.argv = command;
  program.env = {"PATH=" + own_path(), "HOME=" + std::string(home != nullptr ? home : "/"), "LANG=C.UTF-8", mark};
  program.cwd = "/";
  program.input = to_text(alert) + "\n";
  program.timeout = timeout;
  program.output_limit = kCommandOutput;
  program.merge_stderr = true;
  const auto finished = run(program);
  if (!finished) return {Sent::Fate::later, finished.error().what, {}, false};
  end_all_with(mark);
  if (!finished->out.empty())
    log.write(LogLevel::debug, "the alerts' command said", {{"alert", alert.id}, {"output", finished->out}});
  if (finished->ok()) return {Sent::Fate::taken, {}, {}, true};
  return {Sent::Fate::later, how_it_ended(*finished), {}, true};
}

}  // namespace townd
