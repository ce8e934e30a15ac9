#include "cli/status_page.hpp"

#include "cli/watch.hpp"

namespace townd::cli {

namespace {

std::string count(const json::value& of, std::string_view key, const std::string& word) {
  return std::to_string(number_of(of, key)) + " " + word;
}

using Lines = std::vector<std::string>;

std::string dollars(std::int64_t micro) {
  const std::string cents = std::to_string(micro % 1'000'000 / 10'000);
  return "$" + std::to_string(micro / 1'000'000) + "." + (cents.size() < 2 ? "0" : "") + cents;
}

void add_problems(const Terminal& terminal, const json::value& status, Lines& lines) {
  const json::array& problems = list_of(status, "problems");
  const json::array& quarantined = list_of(status, "quarantine");
  for (const json::value& problem : problems)
    lines.push_back(terminal.styled(Style::bad, "! ") + shown(text_of(problem, "id")) + "  " +
                    shown(text_of(problem, "problem")));
  for (const json::value& event : quarantined)
    lines.push_back(terminal.styled(Style::bad, "! ") + "event " + text_of(event, "seq") + " " +
                    shown(text_of(event, "event_type")) + " could not be applied: " + shown(text_of(event, "reason")));
  if (!problems.empty() || !quarantined.empty()) lines.push_back("  Ask about one: town why ID");
}

/// What moves: beads under way with the agents on them.
void add_moving(const Terminal& terminal, const json::array& beads, const json::array& agents, Lines& lines) {
  Table table({"BEAD", "STATUS", "AGENT", "TITLE", "SAYS"});
  for (const json::value& bead : beads) {
    const std::string status = text_of(bead, "status");
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
  lines.emplace_back();
  for (std::string& line : table.lines(terminal)) lines.push_back(std::move(line));
}

void add_rest(const Terminal& terminal, const json::value& status, Lines& lines) {
  const json::value& beads = member_of(status, "beads");
  const json::value& agents = member_of(status, "agents");
  lines.emplace_back();
  lines.push_back("Beads (pieces of work): " + count(beads, "open", "open") + ", " +
                  count(beads, "inProgress", "in progress") + ", " + count(beads, "inReview", "in review") + ", " +
                  count(beads, "closed", "closed") + ", " + count(beads, "failed", "failed"));
  lines.push_back("Agents: " + count(agents, "working", "working") + ", " + count(agents, "idle", "idle") + ", " +
                  count(agents, "stalled", "stalled"));
  const json::value& budgets = member_of(status, "budgets");
  lines.push_back("Left: " + count(budgets, "slots_left", "of ") + text_of(budgets, "slots") + " agents, " +
                  count(budgets, "runs_left", "of ") + text_of(budgets, "runs_per_day") + " runs a day" +
                  (member_of(budgets, "micro_usd_left").is_null()
                       ? ""
                       : ", " + dollars(number_of(budgets, "micro_usd_left")) + " of " +
                             dollars(number_of(budgets, "micro_usd_per_day")) + " a day"));
  for (const json::value& rig : list_of(status, "rigs"))
    lines.push_back("Rig " + shown(text_of(rig, "name")) + ": " + count(rig, "ready", "ready") + ", " +
                    count(rig, "queue", "waiting to be merged") +
                    (truth_of(rig, "usable") ? "" : ", " + terminal.styled(Style::bad, "not usable")) +
                    (list_of(rig, "gates").empty() ? ", " + terminal.styled(Style::warn, "no gates") : ""));
}

/// Of a list that is asked for in a town.
expected<json::array> listed(Session& session, std::string_view operation, json::object query) {
  query["limit"] = 500;
  const auto list = session.in_town(operation, {}, std::move(query));
  if (!list) return tl::unexpected(list.error());
  return list_of(*list);
}

}  // namespace

expected<TownNow> town_now(Session& session) {
  TownNow now;
  auto status = session.in_town("town.status");
  if (!status) return tl::unexpected(status.error());
  now.status = std::move(*status);
  if (session.terminal().json()) return now;
  for (const char* under_way : {"in_progress", "in_review"}) {
    const auto beads = listed(session, "bead.list", {{"status", under_way}});
    if (!beads) return tl::unexpected(beads.error());
    now.beads.insert(now.beads.end(), beads->begin(), beads->end());
  }
  auto agents = listed(session, "agent.list", {});
  if (!agents) return tl::unexpected(agents.error());
  now.agents = std::move(*agents);
  return now;
}

std::vector<std::string> status_page(const Terminal& terminal, const TownNow& now) {
  const json::value& town = member_of(now.status, "town");
  Lines lines{terminal.styled(Style::bold, shown(text_of(town, "name"))) +
              (truth_of(now.status, "paused") ? terminal.styled(Style::warn, "  paused") : "") +
              (truth_of(now.status, "draining") ? terminal.styled(Style::warn, "  draining") : "")};
  add_problems(terminal, now.status, lines);
  add_moving(terminal, now.beads, now.agents, lines);
  add_rest(terminal, now.status, lines);
  return lines;
}

expected<int> status(Session& session, const Values& values) {
  return show_or_watch(session, values, [&]() -> expected<Seen> {
    const auto now = town_now(session);
    if (!now) return tl::unexpected(now.error());
    return Seen{now->status, status_page(session.terminal(), *now)};
  });
}

}  // namespace townd::cli
