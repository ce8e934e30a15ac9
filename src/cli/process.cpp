#include "cli/process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace townd::cli {

namespace {

std::vector<std::string> environment_for(const Program& program) {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    const bool unwanted = std::find(program.without.begin(), program.without.end(), name) != program.without.end();
    if (!unwanted && !program.extra.contains(name)) env.emplace_back(text);
  }
  for (const auto& [name, value] : program.extra) env.push_back(name + "=" + value);
  return env;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

expected<Finished> run_program(const Program& program, std::chrono::milliseconds timeout) {
  townd::Command command;
  command.argv = program.argv;
  command.env = environment_for(program);
  command.cwd = program.folder;
  command.timeout = timeout;
  command.keep = townd::Keep::tail;
  command.merge_stderr = true;
  return townd::run(command);
}

expected<pid_t> launch(const Program& program, const std::string& log) {
  std::vector<std::string> argv_texts = program.argv;
  std::vector<std::string> env_texts = environment_for(program);
  const std::vector<char*> argv = pointers(argv_texts);
  const std::vector<char*> env = pointers(env_texts);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  if (!program.folder.empty()) posix_spawn_file_actions_addchdir_np(&files, program.folder.c_str());
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);

  pid_t pid = 0;
  const int error = posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    return fail(Error::Code::internal, "cannot run " + program.argv.front() + ": " + std::strerror(error));
  return pid;
}

std::string program_beside_us(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = self.parent_path() / name;
  if (!error && access(beside.c_str(), X_OK) == 0) return beside.string();
  return find_program(name, own_path());
}

}  // namespace townd::cli
