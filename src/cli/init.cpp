#include <filesystem>

#include "cli/agent_programs.hpp"
#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/gates_found.hpp"
#include "cli/rig_options.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

/// Agent programs in the order in which init prefers them; scripts are for tests and chores.
constexpr const char* kPreferred[] = {"claude", "codex", "gemini", "opencode", "qwen", "kilo"};

/// The installed program that init sets the rig up with, or null.
const AgentProgram* choose(const std::vector<AgentProgram>& programs) {
  const AgentProgram* other = nullptr;
  for (const char* name : kPreferred)
    for (const AgentProgram& program : programs)
      if (program.preset.name == name && !program.path.empty()) return &program;
  for (const AgentProgram& program : programs)
    if (!program.path.empty() && program.preset.name != "script" && other == nullptr) other = &program;
  return other;
}

/// The town to put the repository in: the one named, the only one, or a new one called like the repository.
expected<json::value> town_for(Session& session, const std::string& repository) {
  const auto daemon = session.client();
  if (!daemon) return tl::unexpected(daemon.error());
  const auto towns = (*daemon)->call("town.list", {});
  if (!towns) return tl::unexpected(towns.error());
  const std::string wanted = session.values().text("--town");
  for (const json::value& town : list_of(*towns))
    if (text_of(town, "town_id") == wanted || text_of(town, "name") == wanted) return town;
  if (wanted.empty() && list_of(*towns).size() == 1) return list_of(*towns)[0];
  if (wanted.empty() && !list_of(*towns).empty())
    return fail(Error::Code::invalid, "there are several towns", "Say which one: town init --town NAME");
  return (*daemon)->call("town.create", {}, {{"name", wanted.empty() ? repository : wanted}});
}

/// The rig of this repository when the town has it already; null otherwise.
expected<json::value> rig_of(Session& session, const std::string& town, const std::string& folder) {
  const auto rigs = (*session.client())->call("rig.list", {{"town", town}});
  if (!rigs) return tl::unexpected(rigs.error());
  for (const json::value& rig : list_of(*rigs))
    if (text_of(rig, "git_url") == folder) return rig;
  return json::value(nullptr);
}

expected<int> init(Session& session, const Values& values) {
  Terminal& terminal = session.terminal();
  std::error_code error;
  const std::string folder = values.text("PATH", std::filesystem::current_path(error).string());
  NewRig plan;
  if (auto planned = plan_rig(folder, values))
    plan = std::move(*planned);
  else
    return tl::unexpected(planned.error());

  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  const auto programs = agent_programs(*data);
  if (!programs) return tl::unexpected(programs.error());
  const AgentProgram* agent = choose(*programs);
  if (!values.has("--preset") && agent != nullptr) plan.config["polecat_preset"] = agent->preset.name;
  if (!values.has("--url")) {
    const auto started = start_daemon(*data, {}, terminal);
    if (!started) return tl::unexpected(started.error());
    if (*started) terminal.line("The daemon runs on " + *data);
  }
  const auto town = town_for(session, plan.name);
  if (!town) return tl::unexpected(town.error());
  session.use_town(text_of(*town, "town_id"));
  auto rig = rig_of(session, text_of(*town, "town_id"), plan.git_url);
  if (!rig) return tl::unexpected(rig.error());
  const bool known = !rig->is_null();
  if (!known) rig = add_rig(session, plan);
  if (!rig) return tl::unexpected(rig.error());

  const json::object told{{"town", *town}, {"rig", *rig}, {"agent", agent != nullptr ? agent->preset.name : ""}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    terminal.line("Town " + shown(text_of(*town, "name")) + ", rig (repository) " + shown(text_of(*rig, "name")) +
                  (known ? ": it was there already" : ""));
    if (!known)
      for (const std::string& line : plan.told) terminal.line("  " + shown(line));
    if (const std::string broken = text_of(*rig, "broken_reason"); !broken.empty())
      terminal.line(terminal.styled(Style::bad, "  It cannot be used yet: " + shown(broken)));
    if (agent != nullptr) {
      terminal.progress("asking " + agent->preset.name + " for one word");
      const auto checked = check_agent(*agent, *data);
      terminal.line(checked ? "  Agent: " + agent->preset.name + " works"
                            : terminal.styled(Style::warn, "  Agent: " + shown(checked.error().what, Keep::lines)));
      if (!checked && !checked.error().hint.empty()) terminal.line("         " + shown(checked.error().hint));
    } else {
      terminal.line(terminal.styled(Style::warn, "  No agent program is installed. For example:"));
      for (const AgentProgram& program : *programs)
        if (program.path.empty()) terminal.line("    " + shown(program.install));
    }
    terminal.line();
    terminal.line("Next:");
    terminal.line("  town sling \"what is to be done\"   give work");
    terminal.line("  town status --watch               see it move");
    terminal.line("  town why ID                       ask why something waits");
  });
}

}  // namespace

std::vector<Command> init_commands() {
  std::vector<Param> params = rig_params();
  params.insert(params.begin(), maybe("PATH", "The repository; the current folder when left out"));
  return {{"init", "Start here",
           "In a repository: start the daemon if need be, make town and rig, find tests and agents",
           "cd ~/src/shop && town init", params, init}};
}

}  // namespace townd::cli
