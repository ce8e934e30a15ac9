#include <algorithm>

#include "cli/agent_programs.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

expected<int> agent_check(Session& session, const Values& values) {
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  const auto programs = agent_programs(*data);
  if (!programs) return tl::unexpected(programs.error());
  Terminal& terminal = session.terminal();
  const std::string wanted = values.text("PRESET");
  if (wanted.empty()) {
    json::array list;
    Table table({"PRESET", "PROGRAM", "INSTALL"});
    for (const AgentProgram& program : *programs) {
      list.push_back({{"preset", program.preset.name}, {"path", program.path}, {"install", program.install}});
      table.row(
          {{program.preset.name, Style::bold},
           {program.path.empty() ? "not installed" : program.path, program.path.empty() ? Style::warn : Style::good},
           {program.path.empty() ? program.install : ""}});
    }
    return answer(session, expected<json::value>(list), [&](const json::value&) {
      table.print(terminal);
      terminal.line("Try one with a tiny real call: town agent check NAME");
    });
  }
  const auto program = std::find_if(programs->begin(), programs->end(),
                                    [&](const AgentProgram& candidate) { return candidate.preset.name == wanted; });
  if (program == programs->end())
    return fail(Error::Code::not_found, "there is no preset \"" + wanted + "\"", "See them with: town agent check");
  terminal.progress("asking " + wanted + " for one word");
  if (const auto checked = check_agent(*program, *data); !checked) return tl::unexpected(checked.error());
  return answer(session, expected<json::value>(json::object{{"preset", wanted}, {"ok", true}}),
                [&](const json::value&) { terminal.line(wanted + " works."); });
}

expected<int> version(Session& session, const Values&) {
  return answer(session, expected<json::value>(json::object{{"version", TOWND_VERSION}}),
                [&](const json::value&) { session.terminal().line("town " TOWND_VERSION); });
}

}  // namespace

std::vector<Command> keep_commands() {
  return {
      {"agent check",
       "Set up",
       "The agent programs that are known, or a tiny real call of one",
       "town agent check claude",
       {maybe("PRESET", "The one to try")},
       agent_check},
      {"version", "Keep", "The version of this program", "town version", {}, version},
  };
}

}  // namespace townd::cli
