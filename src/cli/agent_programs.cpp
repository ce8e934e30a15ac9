#include "cli/agent_programs.hpp"

#include <filesystem>

#include "cli/process.hpp"
#include "runtime/machine.hpp"

namespace townd::cli {

namespace {

namespace fs = std::filesystem;

LocalSettings settings_for(const std::string& data) {
  LocalSettings settings;
  settings.data = data;
  std::error_code ignored;
  settings.bin = fs::read_symlink("/proc/self/exe", ignored).parent_path().string();
  settings.preset_folders = {share_folder() + "/presets", data + "/presets"};
  settings.prompts = share_folder() + "/prompts";
  return settings;
}

}  // namespace

std::string share_folder() {
  std::error_code ignored;
  const fs::path bin = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path installed = bin.parent_path() / "share" / "townd";
  return fs::is_directory(installed / "presets", ignored) ? installed.string() : TOWND_SOURCE_SHARE;
}

expected<std::vector<AgentProgram>> agent_programs(const std::string& data) {
  const LocalSettings settings = settings_for(data);
  const auto presets = load_presets({settings.preset_folders.begin(), settings.preset_folders.end()});
  if (!presets) return tl::unexpected(presets.error());
  std::vector<AgentProgram> programs;
  for (const auto& [name, preset] : *presets) {
    if (preset.input == Preset::Input::none) continue;  // `refine`: no agent, a part of townd
    const auto path = program_of(preset, settings);
    programs.push_back({preset, path ? *path : std::string(), preset.install});
  }
  return programs;
}

expected<void> check_agent(const AgentProgram& program, const std::string& data) {
  if (program.path.empty())
    return fail(Error::Code::not_found, program.preset.command + " is not installed", "Install it: " + program.install);
  return check_preset(program.preset, settings_for(data));
}

}  // namespace townd::cli
