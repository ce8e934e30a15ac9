#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/agent_programs.hpp"
#include "cli/commands.hpp"
#include "cli/daemon.hpp"
#include "cli/process.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

/// One thing that was looked at.
struct Finding {
  enum class Mark { good, note, bad } mark = Mark::good;
  std::string what;
  std::string advice;
};
using Findings = std::vector<Finding>;

std::string first_line(const std::vector<std::string>& argv) {
  const auto finished = run_program({argv, {}, {}, {}}, std::chrono::seconds(20));
  if (!finished || !finished->ok()) return {};
  return finished->out.substr(0, finished->out.find('\n'));
}

void look_at_machine(Findings& found) {
  const std::string git = first_line({"git", "--version"});
  found.push_back(git.empty() ? Finding{Finding::Mark::bad, "git cannot be run", "Install git."}
                              : Finding{Finding::Mark::good, git, {}});
  const auto sandbox =
      run_program({{"bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"}, {}, {}, {}},
                  std::chrono::seconds(20));
  found.push_back(sandbox && sandbox->ok()
                      ? Finding{Finding::Mark::good, "bubblewrap works: agents and gates are sandboxed", {}}
                      : Finding{Finding::Mark::bad, "bubblewrap does not work here: no rig is usable",
                                "Install bubblewrap and allow user namespaces, or set a rig's sandbox to none."});
  if (program_beside_us("townd-shim").empty())
    found.push_back(
        {Finding::Mark::bad, "townd-shim is neither beside town nor in PATH", "Install the programs together."});
}

void look_at_agents(Findings& found, const std::string& data) {
  const auto programs = agent_programs(data);
  if (!programs) {
    found.push_back({Finding::Mark::bad, programs.error().what, programs.error().hint});
    return;
  }
  std::string there;
  for (const AgentProgram& program : *programs)
    if (!program.path.empty() && program.preset.name != "script")
      there += (there.empty() ? "" : ", ") + program.preset.name;
  found.push_back(there.empty()
                      ? Finding{Finding::Mark::note, "no agent program is installed", "See: town agent check"}
                      : Finding{Finding::Mark::good, "agent programs: " + there, "Try one: town agent check NAME"});
}

void look_at_data(Findings& found, const std::string& data) {
  struct stat about {};
  if (stat(data.c_str(), &about) != 0) {
    found.push_back({Finding::Mark::note, "there is no data folder " + data + " yet", "It is made by: town up"});
    return;
  }
  if ((about.st_mode & 077) != 0)
    found.push_back({Finding::Mark::bad, "others can look into the data folder " + data, "chmod 700 " + data});
  std::error_code error;
  const auto space = std::filesystem::space(data, error);
  constexpr std::uintmax_t kLow = 2ULL << 30;  // domain.md §7, disk_low
  if (!error && space.available < kLow)
    found.push_back(
        {Finding::Mark::bad, "less than 2 GiB are left for " + data, "Make room: nothing is started until then."});
}

void look_at_towns(Findings& found, Session& session) {
  const auto daemon = session.client();
  const auto towns = daemon ? (*daemon)->call("town.list", {}) : tl::unexpected(daemon.error());
  if (!towns) {
    found.push_back({Finding::Mark::bad, towns.error().what, towns.error().hint});
    return;
  }
  found.push_back({Finding::Mark::good, "the daemon answers", {}});
  if (list_of(*towns).empty())
    found.push_back({Finding::Mark::note, "there is no town yet", "In a repository: town init"});
  for (const json::value& town : list_of(*towns)) {
    const std::string name = text_of(town, "name");
    const auto status = (*daemon)->call("town.status", {{"town", text_of(town, "town_id")}});
    if (!status) {
      found.push_back({Finding::Mark::bad, "town " + name + ": " + status.error().what, status.error().hint});
      continue;
    }
    for (const json::value& problem : list_of(*status, "problems"))
      found.push_back({Finding::Mark::bad, "town " + name + ": " + text_of(problem, "problem"),
                       "town why " + text_of(problem, "id")});
    if (number_of(*status, "effectsInDoubt") > 0)
      found.push_back(
          {Finding::Mark::note,
           "town " + name + ": " + text_of(*status, "effectsInDoubt") + " effects whose outcome is not known yet",
           {}});
  }
}

expected<int> doctor(Session& session, const Values& values) {
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  Findings found;
  look_at_machine(found);
  look_at_data(found, *data);
  look_at_agents(found, *data);
  look_at_towns(found, session);
  const bool ill =
      std::any_of(found.begin(), found.end(), [](const Finding& f) { return f.mark == Finding::Mark::bad; });
  json::array list;
  for (const Finding& finding : found)
    list.push_back({{"ok", finding.mark != Finding::Mark::bad}, {"what", finding.what}, {"advice", finding.advice}});
  const auto printed =
      answer(session, expected<json::value>(json::object{{"ok", !ill}, {"findings", list}}), [&](const json::value&) {
        Terminal& terminal = session.terminal();
        for (const Finding& finding : found) {
          const bool bad = finding.mark == Finding::Mark::bad;
          terminal.line(terminal.styled(bad                                   ? Style::bad
                                        : finding.mark == Finding::Mark::note ? Style::warn
                                                                              : Style::good,
                                        bad                                   ? "bad   "
                                        : finding.mark == Finding::Mark::note ? "note  "
                                                                              : "good  ") +
                        shown(finding.what));
          if (!finding.advice.empty()) terminal.line("      " + shown(finding.advice));
        }
      });
  if (!printed) return printed;
  return ill ? kFailed : kOk;
}

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
      {"doctor",
       "Keep",
       "Look at machine, data folder, daemon and towns, and say what is wrong",
       "town doctor",
       {},
       doctor},
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
