#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/molecule_file.hpp"
#include "cli/run_calls.hpp"

/// `town mol`: work that is done in steps.
namespace townd::cli {

namespace {

constexpr std::size_t kMoleculeFileLimit = 1024 * 1024;

expected<json::array> steps_given(const Values& values) {
  json::array steps;
  for (const std::string& title : values.list("--step")) steps.push_back(json::object{{"title", title}});
  if (!values.has("--file")) return steps;
  const std::string path = values.text("--file");
  const auto text = path == "-" ? text_given(path) : file_contents(path, kMoleculeFileLimit);
  if (!text) return tl::unexpected(text.error());
  auto read = read_molecule_file(path, *text);
  if (!read) return read;
  steps.insert(steps.end(), read->begin(), read->end());
  return steps;
}

expected<int> create(Session& session, const Values& values) {
  auto steps = steps_given(values);
  if (!steps) return tl::unexpected(steps.error());
  if (steps->empty())
    return fail(Error::Code::invalid, "no step is given", "Name each with --step, or all of them with --file FILE.");
  const std::string bead = values.text("BEAD");
  const json::object fields{{"bead_id", bead}, {"formula", json::object{{"steps", *steps}}}};
  return answer(session, session.in_town("molecule.create", {}, fields, bead), [&](const json::value& made) {
    session.terminal().line(shown(bead) + " is done in " + text_of(made, "total_steps") + " steps: molecule " +
                            shown(text_of(made, "bead_id")));
    for (const json::value& step : list_of(made, "steps"))
      session.terminal().line("  " + shown(text_of(step, "bead_id")) + "  " + shown(text_of(step, "title")));
  });
}

void print_step(Terminal& terminal, const json::value& step) {
  terminal.line("Step " + text_of(step, "step") + " of " + text_of(step, "total_steps") + ": " +
                shown(text_of(step, "title")));
  if (const std::string body = text_of(step, "body"); !body.empty()) terminal.line(shown(body, Keep::lines));
}

expected<int> current(Session& session, const Values&) {
  return answer(session, call_as_agent(session, "molecule.current", {}),
                [&](const json::value& step) { print_step(session.terminal(), step); });
}

expected<int> advance(Session& session, const Values& values) {
  const auto summary = text_given(values.text("--summary"));
  if (!summary) return tl::unexpected(summary.error());
  const auto advanced = call_as_agent(session, "molecule.advance", {{"summary", *summary}});
  if (!advanced || session.terminal().json()) return answer(session, advanced, [](const json::value&) {});
  if (truth_of(*advanced, "completed")) {
    session.terminal().line("That was the last step. Hand the whole in: town done");
    return kOk;
  }
  return answer(session, call_as_agent(session, "molecule.current", {}),
                [&](const json::value& step) { print_step(session.terminal(), step); });
}

}  // namespace

std::vector<Command> molecule_commands() {
  const Param agent = option("--agent", "The agent, when a person calls this (or TOWN_AGENT)");
  const std::string group = "For agents";
  return {
      {"mol create",
       group,
       "Divide a bead (a piece of work) into steps that its agent does one after another: a molecule",
       "town mol create acme-12 --step \"Write the failing test\" --step \"Make it pass\"\n\ntown mol create acme-12 "
       "--file steps.toml\n\nsteps.toml:\n  [[step]]\n  title = \"Write the failing test\"\n  instructions = \"In "
       "tests/total_test.sh\"\n  [[step]]\n  title = \"Make it pass\"",
       {word("BEAD", "The bead's id; a run's own bead, when an agent calls this"),
        options("--step", "Title of a step; may be given several times, in order"),
        option("--file", "TOML or JSON with titles and instructions; - reads standard input")},
       create},
      {"mol current", group, "The step that is to be done now", "town mol current", {agent}, current},
      {"mol advance",
       group,
       "Say that the current step is done, and see the next",
       "town mol advance --summary \"The test fails as it should\"",
       {Param{"--summary", Param::Kind::text, "What was done; - reads standard input", true}, agent},
       advance},
  };
}

}  // namespace townd::cli
