#include "runtime/machine.hpp"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "git/spawn.hpp"
#include "runtime/environment.hpp"
#include "runtime/stream.hpp"

namespace townd {
namespace {

constexpr std::int64_t kMemoryOfAnAgent = 3LL << 29;  // 1.5 GiB (domain.md §7, max_agents)
constexpr std::uint64_t kDiskLow = 2ULL << 30;        // domain.md §7, disk_low
constexpr int kMostAgents = 16;

std::string last_words(const std::string& text) {
  constexpr std::size_t kLength = 400;
  return text.size() <= kLength ? text : "…" + text.substr(text.size() - kLength);
}

}  // namespace

int slots_of(const LocalSettings& settings) {
  if (settings.max_agents > 0) return settings.max_agents;
  const auto cores = static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  const auto memory = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return static_cast<int>(std::clamp<std::int64_t>(std::min(cores, memory / kMemoryOfAnAgent), 1, kMostAgents));
}

bool disk_is_low(const std::string& data) {
  struct statvfs info {};
  return ::statvfs(data.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize < kDiskLow;
}

double disk_use(const std::string& data) {
  struct statvfs info {};
  if (::statvfs(data.c_str(), &info) != 0 || info.f_blocks == 0) return 0;
  return 1.0 - static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
}

expected<std::string> program_of(const Preset& preset, const LocalSettings& settings) {
  auto program = find_program(preset.command, agent_path(settings));
  if (program.empty())
    return fail(Error::Code::forbidden, preset.command + " is not installed",
                preset.install.empty() ? "install it and put it on townd's PATH" : preset.install);
  return program;
}

expected<void> check_preset(const Preset& preset, const LocalSettings& settings) {
  const auto program = program_of(preset, settings);
  if (!program) return tl::unexpected(program.error());
  if (preset.check.empty()) return {};
  Command call;
  call.argv = {*program};
  call.argv.insert(call.argv.end(), preset.check.begin(), preset.check.end());
  call.env = {"PATH=" + agent_path(settings), "LANG=C.UTF-8", "TERM=dumb"};
  for (const auto& [name, value] : preset.set) call.env.push_back(name + "=" + value);
  auto names = preset.env;
  names.emplace_back("HOME");
  for (const auto& name : names)
    if (const char* value = std::getenv(name.c_str())) call.env.push_back(name + "=" + value);
  call.cwd = "/";
  call.merge_stderr = true;
  call.keep = Keep::tail;
  const auto ended = run(call);
  if (!ended) return tl::unexpected(ended.error());
  StreamReader stream{preset.stream};
  stream.take(ended->out);
  if (ended->ok() && stream.error().empty()) return {};
  const auto why = ended->timed_out          ? std::string{"it did not answer within a minute"}
                   : !stream.error().empty() ? stream.error()
                                             : last_words(ended->out);
  return fail(Error::Code::forbidden, preset.command + " does not work: " + why, preset.install);
}

}  // namespace townd
