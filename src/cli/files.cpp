#include <iostream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/import_town.hpp"
#include "cli/input.hpp"
#include "cli/plan.hpp"
#include "cli/scenario.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

void print_plan(Terminal& terminal, const json::value& plan) {
  Table table({"AT", "RULE", "ACTION", "ON", "DETAIL"});
  for (const json::value& action : list_of(plan, "actions")) {
    std::string on;
    for (const char* key : {"bead_id", "agent_id", "convoy_id", "nudge_id", "mail_id"})
      if (const std::string id = text_of(action, key); !id.empty()) on += (on.empty() ? "" : " ") + id;
    const std::string to = text_of(action, "to");
    table.row({{text_of(action, "at"), Style::dim},
               {text_of(action, "rule"), Style::dim},
               {text_of(action, "type"), Style::bold},
               {on},
               {to.empty() ? cut(text_of(action, "reason"), 60) : text_of(action, "from") + " → " + to}});
  }
  table.print_or(terminal, "Nothing is to be done now.");
  for (const json::value& violation : list_of(plan, "violations"))
    terminal.line(terminal.styled(Style::bad, "violation ") + text_of(violation, "invariant") + ": " +
                  shown(text_of(violation, "message")));
  if (!truth_of(plan, "complete")) terminal.line("More would follow than is shown; take an earlier time.");
  if (const std::string due = text_of(plan, "next_due_at"); !due.empty()) terminal.line("Looks again at " + shown(due));
}

expected<int> plan(Session& session, const Values& values) {
  if (values.has("--snapshot")) {
    PlanRequest request{values.text("--snapshot"), std::nullopt, session.terminal().json()};
    if (values.has("--at")) request.at = values.text("--at");
    if (!request.as_json) return plan_snapshot(request, std::cout);
    std::ostringstream plan;
    if (const auto made = plan_snapshot(request, plan); !made) return tl::unexpected(made.error());
    return session.terminal().value(json::parse(plan.str())) ? kOk : kNotFound;
  }
  json::object fields;
  if (values.has("--at")) fields["at"] = values.text("--at");
  return answer(session, session.in_town("debug.dry_run", {}, fields),
                [&](const json::value& found) { print_plan(session.terminal(), found); });
}

expected<int> scenario(Session& session, const Values& values) {
  return run_scenarios(values.list("FILE"), session.terminal().json(), std::cout);
}

expected<int> export_town(Session& session, const Values& values) {
  const std::string path = values.text("FILE");
  const auto town = session.town();
  if (!town) return tl::unexpected(town.error());
  const auto snapshot = (*session.client())->fetch("town.snapshot", {{"town", *town}});
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (path == "-") {
    session.terminal().flush();
    std::cout << *snapshot << std::flush;
    return kOk;
  }
  if (const auto written = write_whole(path, *snapshot); !written) return tl::unexpected(written.error());
  const json::object told{{"file", path}, {"bytes", static_cast<std::int64_t>(snapshot->size())}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    session.terminal().line("The whole town is in " + shown(path) + ". What it would do next: town plan --snapshot " +
                            shown(path));
  });
}

expected<int> bundle(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  if (!id.empty() + values.has("--tick") + values.has("--last-violation") != 1)
    return fail(Error::Code::invalid, "a bundle is about one thing", "give an id, --tick N or --last-violation");
  json::object query;
  std::string name = "violation";
  if (!id.empty()) query["about"] = name = id;
  if (values.has("--last-violation")) query["last_violation"] = true;
  if (const auto tick = values.number("--tick")) {
    query["tick"] = *tick;
    name = "tick-" + std::to_string(*tick);
  }
  const auto town = session.town(id);
  if (!town) return tl::unexpected(town.error());
  const auto bytes = (*session.client())->fetch("past.bundle", {{"town", *town}}, query);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string path = values.text("--output", name + ".bundle");
  if (path == "-") {
    std::cout << *bytes << std::flush;
    return kOk;
  }
  if (const auto written = write_whole(path, *bytes); !written) return tl::unexpected(written.error());
  const json::object told{{"file", path}, {"bytes", static_cast<std::int64_t>(bytes->size())}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    session.terminal().line(
        "It is in " + shown(path) +
        ", with titles and what people wrote in that time, and no secrets of townd's. To look into it:");
    for (const char* command : {"replay", "plan"})
      session.terminal().line("  town " + std::string(command) + " --snapshot " + shown(path));
    if (!id.empty()) session.terminal().line("  town why " + shown(id) + " --snapshot " + shown(path));
  });
}

expected<int> import_file(Session& session, const Values& values) {
  constexpr std::size_t kSnapshotLimit = 4UL << 30;
  const auto data = data_folder(values);
  if (!data) return tl::unexpected(data.error());
  const auto bytes = file_contents(values.text("FILE"), kSnapshotLimit);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto snapshot = read_snapshot(*bytes);
  if (!snapshot) return tl::unexpected(snapshot.error());
  const auto imported = import_town(*data, *snapshot);
  if (!imported) return tl::unexpected(imported.error());
  json::array violations;
  for (const std::string& violation : imported->violations) violations.emplace_back(violation);
  const json::object told{{"town_id", imported->town.text},
                          {"beads", static_cast<std::int64_t>(imported->beads)},
                          {"violations", violations}};
  return answer(session, expected<json::value>(told), [&](const json::value&) {
    Terminal& terminal = session.terminal();
    terminal.line("Town " + shown(imported->town.text) + " with " + std::to_string(imported->beads) + " beads is in " +
                  shown(*data) + ". Start it with: town up");
    for (const std::string& violation : imported->violations)
      terminal.line(terminal.styled(Style::warn, "  violation ") + shown(violation));
  });
}

}  // namespace

std::vector<Command> file_commands() {
  return {
      {"plan",
       "Look",
       "What the town would do next; nothing is changed",
       "town plan --snapshot town.json --at 2026-07-01T12:00:00Z",
       {option("--snapshot", "A file (town export, town bundle) instead of the live town; needs no daemon"),
        option("--at", "And what will have followed by this time if nothing else happens")},
       plan},
      {"scenario",
       "Keep",
       "Play scenario files (town-scenarios/1) and say which pass",
       "town scenario tests/scenario/reference.json",
       {words("FILE", "Files to play")},
       scenario},
      {"export",
       "Keep",
       "Write the whole town to a file (town-snapshot/1)",
       "town export town.json",
       {word("FILE", "Where to; - is standard output")},
       export_town},
      {"bundle",
       "Keep",
       "Write what happened to one file, to be looked into elsewhere without a daemon",
       "town bundle acme-12 --output acme-12.bundle",
       {maybe("ID", "A bead, agent or rig: the last 24 h of its life"), number("--tick", "Or one tick"),
        flag("--last-violation", "Or the newest tick in which something was refused or found to be broken"),
        option("-o,--output", "Where to; - is standard output; ID.bundle in this folder when left out")},
       bundle},
      {"import",
       "Keep",
       "Put a town from a file into the data folder, while the daemon is down",
       "town import town.json",
       {word("FILE", "A snapshot (town export), packed with zstd or not")},
       import_file},
  };
}

}  // namespace townd::cli
