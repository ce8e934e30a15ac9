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

/// A repository that a town works on.
struct Settled {
  json::value town;
  json::value rig;  ///< null: none does
};

/// Where this repository is already; in the named town only, when one is.
expected<Settled> settled(Session& session, const std::string& git_url) {
  const auto daemon = session.client();
  if (!daemon) return tl::unexpected(daemon.error());
  const auto towns = (*daemon)->call("town.list", {});
  if (!towns) return tl::unexpected(towns.error());
  const std::string wanted = session.values().text("--town");
  for (const json::value& town : list_of(*towns)) {
    if (!wanted.empty() && text_of(town, "town_id") != wanted && text_of(town, "name") != wanted) continue;
    const auto rigs = (*daemon)->call("rig.list", {{"town", text_of(town, "town_id")}});
    if (!rigs) return tl::unexpected(rigs.error());
    for (const json::value& rig : list_of(*rigs))
      if (text_of(rig, "git_url") == git_url) return Settled{town, rig};
  }
  return Settled{};
}

/// Makes what is missing.
expected<Settled> settle(Session& session, NewRig plan, const AgentProgram* agent) {
  if (agent != nullptr && !session.values().has("--preset")) plan.config["polecat_preset"] = agent->preset.name;
  const auto town = town_for(session, plan.name);
  if (!town) return tl::unexpected(town.error());
  session.use_town(text_of(*town, "town_id"));
  const auto rig = add_rig(session, plan);
  if (!rig) return tl::unexpected(rig.error());
  return Settled{*town, *rig};
}

void print_rig(Terminal& terminal, const json::value& rig) {
  const json::value& config = member_of(rig, "config");
  for (const json::value& gate : list_of(config, "gates"))
    terminal.line("  Gate: " + shown(gate.is_string() ? std::string_view(gate.get_string()) : std::string_view()));
  if (list_of(config, "gates").empty()) terminal.line("  No gate: its work is merged without a test");
  if (const std::string setup = text_of(config, "setup"); !setup.empty()) terminal.line("  Setup: " + shown(setup));
}

void print_agent(Terminal& terminal, const AgentProgram* agent, const std::vector<AgentProgram>& programs,
                 const std::string& data) {
  if (agent != nullptr) {
    terminal.progress("asking " + agent->preset.name + " for one word");
    const auto checked = check_agent(*agent, data);
    terminal.line(checked ? "  Agent: " + agent->preset.name + " works"
                          : terminal.styled(Style::warn, "  Agent: " + shown(checked.error().what, Keep::lines)));
    if (!checked && !checked.error().hint.empty()) terminal.line("         " + shown(checked.error().hint));
    return;
  }
  terminal.line(terminal.styled(Style::warn, "  No agent program is installed. For example:"));
  for (const AgentProgram& program : programs)
    if (program.path.empty()) terminal.line("    " + shown(program.install));
}

/// Starts it unless it runs, or is somewhere else.
expected<void> need_daemon(Session& session, const std::string& data) {
  if (session.values().has("--url")) return {};
  const auto started = start_daemon(data, {}, session.terminal());
  if (!started) return tl::unexpected(started.error());
  if (*started) session.terminal().line("The daemon runs on " + data);
  return {};
}

/// The repository's town and rig, when this node has them. Needs no gates and nothing else that a new rig is told.
expected<Settled> look_for(Session& session, const std::string& where, const std::string& data) {
  std::error_code none;
  if (!session.values().has("--url") && !std::filesystem::exists(data + "/townd.db", none)) return Settled{};
  std::string git_url = where;
  if (!is_url(where)) {
    const auto checkout = look_at_checkout(where);
    if (!checkout) return tl::unexpected(checkout.error());
    git_url = checkout->folder;
  }
  if (auto up = need_daemon(session, data); !up) return tl::unexpected(up.error());
  return settled(session, git_url);
}

expected<int> init(Session& session, const Values& values) {
  Terminal& terminal = session.terminal();
  std::error_code error;
  const std::string where = values.text("PATH", std::filesystem::current_path(error).string());
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  const auto programs = agent_programs(*data);
  if (!programs) return tl::unexpected(programs.error());
  const AgentProgram* agent = choose(*programs);

  auto done = look_for(session, where, *data);
  if (!done) return tl::unexpected(done.error());
  const bool known = !done->rig.is_null();
  std::vector<std::string> told;
  if (!known) {
    const auto plan = plan_rig(where, values);
    if (!plan) return tl::unexpected(plan.error());
    if (auto up = need_daemon(session, *data); !up) return tl::unexpected(up.error());
    told = plan->told;
    done = settle(session, *plan, agent);
    if (!done) return tl::unexpected(done.error());
  }

  const json::object answered{
      {"town", done->town}, {"rig", done->rig}, {"agent", agent != nullptr ? agent->preset.name : ""}};
  return answer(session, expected<json::value>(answered), [&](const json::value&) {
    terminal.line("Town " + shown(text_of(done->town, "name")) + ", rig (repository) " +
                  shown(text_of(done->rig, "name")) + (known ? ": it was there already, and stays as it is" : ""));
    if (known) print_rig(terminal, done->rig);
    for (const std::string& line : told) terminal.line("  " + shown(line));
    if (const std::string broken = text_of(done->rig, "broken_reason"); !broken.empty())
      terminal.line(terminal.styled(Style::bad, "  It cannot be used yet: " + shown(broken)));
    print_agent(terminal, agent, *programs, *data);
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
