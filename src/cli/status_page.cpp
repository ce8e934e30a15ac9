#include "cli/status_page.hpp"

#include <chrono>

namespace townd::cli {

namespace {

std::string count(const json::value& of, std::string_view key, const std::string& word) {
  return std::to_string(number_of(of, key)) + " " + word;
}

std::string dollars(std::int64_t micro) {
  const std::string cents = std::to_string(micro % 1'000'000 / 10'000);
  return "$" + std::to_string(micro / 1'000'000) + "." + (cents.size() < 2 ? "0" : "") + cents;
}

void print_problems(Terminal& terminal, const json::value& status) {
  const json::array& problems = list_of(status, "problems");
  const json::array& quarantined = list_of(status, "quarantine");
  for (const json::value& problem : problems)
    terminal.line(terminal.styled(Style::bad, "! ") + shown(text_of(problem, "id")) + "  " +
                  shown(text_of(problem, "problem")));
  for (const json::value& event : quarantined)
    terminal.line(terminal.styled(Style::bad, "! ") + "event " + text_of(event, "seq") + " " +
                  shown(text_of(event, "event_type")) + " could not be applied: " + shown(text_of(event, "reason")));
  if (!problems.empty() || !quarantined.empty()) terminal.line("  Ask about one: town why ID");
}

/// What moves: beads under way with the agents on them.
void print_moving(Terminal& terminal, const json::array& beads, const json::array& agents) {
  Table table({"BEAD", "STATUS", "AGENT", "TITLE", "SAYS"});
  for (const json::value& bead : beads) {
    const std::string status = text_of(bead, "status");
    if (status != "in_progress" && status != "in_review") continue;
    if (text_of(bead, "type") != "issue" && text_of(bead, "type") != "merge_request") continue;
    std::string who;
    std::string says;
    for (const json::value& agent : agents)
      if (text_of(agent, "current_hook_bead_id") == text_of(bead, "bead_id")) {
        who = text_of(agent, "name");
        says = text_of(agent, "agent_status_message");
      }
    table.row({{text_of(bead, "bead_id"), Style::dim},
               {status, status == "in_progress" ? Style::bold : Style::plain},
               {who},
               {cut(text_of(bead, "title"), 60)},
               {cut(says, 60), Style::dim}});
  }
  if (table.empty()) return;
  terminal.line();
  table.print(terminal);
}

void print_rest(Terminal& terminal, const json::value& status) {
  const json::value& beads = member_of(status, "beads");
  const json::value& agents = member_of(status, "agents");
  terminal.line();
  terminal.line("Beads (pieces of work): " + count(beads, "open", "open") + ", " +
                count(beads, "inProgress", "in progress") + ", " + count(beads, "inReview", "in review") + ", " +
                count(beads, "closed", "closed") + ", " + count(beads, "failed", "failed"));
  terminal.line("Agents: " + count(agents, "working", "working") + ", " + count(agents, "idle", "idle") + ", " +
                count(agents, "stalled", "stalled"));
  const json::value& budgets = member_of(status, "budgets");
  terminal.line("Left: " + count(budgets, "slots_left", "of ") + text_of(budgets, "slots") + " agents, " +
                count(budgets, "runs_left", "of ") + text_of(budgets, "runs_per_day") + " runs a day" +
                (member_of(budgets, "micro_usd_left").is_null()
                     ? ""
                     : ", " + dollars(number_of(budgets, "micro_usd_left")) + " of " +
                           dollars(number_of(budgets, "micro_usd_per_day")) + " a day"));
  for (const json::value& rig : list_of(status, "rigs"))
    terminal.line("Rig " + shown(text_of(rig, "name")) + ": " + count(rig, "ready", "ready") + ", " +
                  count(rig, "queue", "waiting to be merged") +
                  (truth_of(rig, "usable") ? "" : ", " + terminal.styled(Style::bad, "not usable")) +
                  (list_of(rig, "gates").empty() ? ", " + terminal.styled(Style::warn, "no gates") : ""));
}

expected<void> print_status(Session& session, bool clear) {
  Terminal& terminal = session.terminal();
  const auto status = session.in_town("town.status");
  if (!status) return tl::unexpected(status.error());
  if (terminal.json()) {
    terminal.value(*status);
    return {};
  }
  const auto beads = session.in_town("bead.list", {}, {{"limit", 500}});
  if (!beads) return tl::unexpected(beads.error());
  const auto agents = session.in_town("agent.list", {}, {{"limit", 500}});
  if (!agents) return tl::unexpected(agents.error());
  if (clear) terminal.clear_screen();
  const json::value& town = member_of(*status, "town");
  terminal.line(terminal.styled(Style::bold, shown(text_of(town, "name"))) +
                (truth_of(*status, "paused") ? terminal.styled(Style::warn, "  paused") : "") +
                (truth_of(*status, "draining") ? terminal.styled(Style::warn, "  draining") : ""));
  print_problems(terminal, *status);
  print_moving(terminal, list_of(*beads), list_of(*agents));
  print_rest(terminal, *status);
  terminal.flush();
  return {};
}

}  // namespace

expected<int> status(Session& session, const Values& values) {
  constexpr std::chrono::milliseconds kAtMostEvery{250};
  if (const auto printed = print_status(session, values.has("--watch")); !printed)
    return tl::unexpected(printed.error());
  if (!values.has("--watch")) return kOk;
  const auto town = session.town();
  if (!town) return tl::unexpected(town.error());
  expected<void> trouble;
  auto last = std::chrono::steady_clock::now();
  const auto ended = (*session.client())->follow("town.stream", {{"town", *town}}, {}, [&](const StreamEvent& item) {
    if (item.kind != "tick" && std::chrono::steady_clock::now() - last < kAtMostEvery) return true;
    last = std::chrono::steady_clock::now();
    trouble = print_status(session, true);
    return trouble.has_value();
  });
  if (!ended) return tl::unexpected(ended.error());
  if (!trouble) return tl::unexpected(trouble.error());
  return fail(Error::Code::unavailable, "the daemon closed the stream", "See whether it runs: town doctor");
}

}  // namespace townd::cli
