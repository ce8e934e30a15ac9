#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/status_page.hpp"

namespace townd::cli {

namespace {

Style style_of(std::string_view status) {
  if (status == "closed" || status == "landed") return Style::good;
  if (status == "failed" || status == "dead" || status == "stalled") return Style::bad;
  if (status == "in_progress" || status == "working") return Style::bold;
  return Style::plain;
}

/// The rig that --rig names, for the path; nothing when it is not given.
expected<Client::Path> rig_asked_for(Session& session, const Values& values) {
  if (!values.has("--rig")) return Client::Path{};
  const auto rig = session.rig();
  if (!rig) return tl::unexpected(rig.error());
  return Client::Path{{"rig", *rig}};
}

expected<int> beads(Session& session, const Values& values) {
  json::object query{{"limit", values.number("--limit").value_or(100)}};
  for (const char* name : {"--status", "--type", "--assignee"})
    if (values.has(name)) query[std::string_view(name).substr(2)] = values.text(name);
  const auto path = rig_asked_for(session, values);
  if (!path) return tl::unexpected(path.error());
  return answer(session, session.in_town("bead.list", *path, query), [&](const json::value& list) {
    Table table({"ID", "STATUS", "TYPE", "PRIORITY", "AGENT", "TITLE"});
    for (const json::value& bead : list_of(list))
      table.row({{text_of(bead, "bead_id"), Style::dim},
                 {text_of(bead, "status"), style_of(text_of(bead, "status"))},
                 {text_of(bead, "type")},
                 {text_of(bead, "priority")},
                 {text_of(bead, "assignee_agent_bead_id")},
                 {cut(text_of(bead, "title"), 80)}});
    table.print_or(session.terminal(),
                   "No bead (piece of work) here. Put one on the town: town sling \"what is to be done\"");
  });
}

expected<int> agents(Session& session, const Values& values) {
  json::object query{{"limit", 500}};
  if (values.has("--status")) query["status"] = values.text("--status");
  const auto path = rig_asked_for(session, values);
  if (!path) return tl::unexpected(path.error());
  return answer(session, session.in_town("agent.list", *path, query), [&](const json::value& list) {
    Table table({"ID", "NAME", "ROLE", "STATUS", "WORKS ON", "SAYS"});
    for (const json::value& agent : list_of(list))
      table.row({{text_of(agent, "agent_id"), Style::dim},
                 {text_of(agent, "name"), Style::bold},
                 {text_of(agent, "role")},
                 {text_of(agent, "status"), style_of(text_of(agent, "status"))},
                 {text_of(agent, "current_hook_bead_id")},
                 {cut(text_of(agent, "agent_status_message"), 60)}});
    table.print_or(session.terminal(), "No agent yet: they are made when there is work. See: town status");
  });
}

expected<int> reviews(Session& session, const Values& values) {
  json::object query;
  if (values.has("--all")) query["all"] = true;
  const auto path = rig_asked_for(session, values);
  if (!path) return tl::unexpected(path.error());
  return answer(session, session.in_town("review.list", *path, query), [&](const json::value& list) {
    Table table({"ID", "STATUS", "FOR", "BRANCH", "ONTO", "RESULT", "TITLE"});
    for (const json::value& review : list_of(list))
      table.row({{text_of(review, "bead_id"), Style::dim},
                 {text_of(review, "status"), style_of(text_of(review, "status"))},
                 {text_of(review, "source_bead_id")},
                 {text_of(review, "branch")},
                 {text_of(review, "target_branch")},
                 {text_of(review, "result")},
                 {cut(text_of(review, "title"), 60)}});
    table.print_or(session.terminal(), "Nothing waits to be merged.");
  });
}

/// The members of a record in a column; objects and lists of objects are left to --json.
void print_record(Terminal& terminal, const json::value& record) {
  const auto* members = record.if_object();
  if (members == nullptr) return;
  Table table({"", ""});
  for (const auto& [key, value] : *members) {
    if (value.is_null() || value.is_object() || key == "body") continue;
    std::string text;
    if (const auto* list = value.if_array()) {
      for (const json::value& element : *list)
        if (element.is_string()) text += (text.empty() ? "" : ", ") + std::string(element.get_string());
    } else {
      text = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    }
    if (!text.empty()) table.row({{std::string(key), Style::dim}, {cut(text, 160)}});
  }
  if (!table.empty()) table.print(terminal);
}

void print_bead(Terminal& terminal, const json::value& bead) {
  const std::string status = text_of(bead, "status");
  terminal.line(terminal.styled(Style::bold, shown(text_of(bead, "bead_id"))) + "  " +
                terminal.styled(style_of(status), shown(status)) + "  " + shown(text_of(bead, "title")));
  print_record(terminal, bead);
  if (const json::value& review = member_of(bead, "review"); !review.is_null()) {
    terminal.line();
    terminal.line(terminal.styled(Style::bold, "review"));
    print_record(terminal, review);
  }
  if (const std::string body = text_of(bead, "body"); !body.empty()) {
    terminal.line();
    terminal.line(shown(body, Keep::lines));
  }
}

expected<int> show(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  if (values.has("--at"))
    return answer(session, session.in_town("past.show", {{"id", id}}, {{"at", values.text("--at")}}, id),
                  [&](const json::value& found) {
                    if (text_of(found, "bead_id").empty())
                      print_record(session.terminal(), found);
                    else
                      print_bead(session.terminal(), found);
                  });
  const auto bead = session.in_town("bead.get", {{"bead", id}}, {}, id);
  if (bead || bead.error().code != Error::Code::not_found)
    return answer(session, bead, [&](const json::value& found) { print_bead(session.terminal(), found); });
  for (const auto& [operation, name] : {std::pair{"agent.get", "agent"}, std::pair{"rig.get", "rig"}}) {
    const auto other = session.in_town(operation, {{name, id}}, {}, id);
    if (other)
      return answer(session, other, [&](const json::value& detail) { print_record(session.terminal(), detail); });
  }
  return tl::unexpected(bead.error());
}

void print_changes(Terminal& terminal, const json::value& changes) {
  for (const json::value& row : list_of(changes, "changed")) {
    const json::value& before = member_of(row, "before");
    const json::value& after = member_of(row, "after");
    const std::string end = before.is_null() ? "  new, " + text_of(after, "status") : after.is_null() ? "  gone" : "";
    terminal.line(terminal.styled(Style::bold, shown(text_of(row, "kind")) + " " + shown(text_of(row, "id"))) + end);
    if (before.is_object() && after.is_object())
      for (const auto& [name, value] : after.get_object())
        terminal.line("  " + shown(std::string(name)) + ": " +
                      shown(cut(json::serialize(member_of(before, name)), 60)) + " → " +
                      shown(cut(json::serialize(value), 60)));
    for (const json::value& by : list_of(row, "by")) {
      const std::string line = "  tick " + std::to_string(number_of(by, "tick")) + "  " + text_of(by, "rule") + "  " +
                               text_of(by, "what") + "  " + cut(text_of(by, "after"), 80);
      terminal.line(terminal.styled(Style::dim, shown(line)));
    }
  }
  if (list_of(changes, "changed").empty()) terminal.line("Nothing is different between the two.");
  if (const auto more = number_of(changes, "doers_left_out"); more > 0)
    terminal.line(std::to_string(more) + " more steps on the way are left out; take a shorter time");
}

expected<int> diff(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  if (values.has("--from") != values.has("--to") || id.empty() != values.has("--from"))
    return fail(Error::Code::invalid, "a bead's id, or both --from and --to",
                "town diff acme-12, or town diff --from 2026-07-01T12:00:00Z --to 2026-07-01T13:00:00Z");
  if (id.empty())
    return answer(session,
                  session.in_town("past.changes", {}, {{"from", values.text("--from")}, {"to", values.text("--to")}}),
                  [&](const json::value& changes) { print_changes(session.terminal(), changes); });
  return answer(session, session.in_town("bead.diff", {{"bead", id}}, {}, id), [&](const json::value& diff) {
    const std::string text = text_of(diff, "diff");
    session.terminal().line(text.empty() ? "Nothing is changed." : shown(text, Keep::lines));
  });
}

}  // namespace

std::vector<Command> look_commands() {
  const Param rows = number("--limit", "How many rows; 100 when left out");
  return {
      {"status",
       "Look",
       "Problems first, then what moves, then the rest",
       "town status --watch",
       {flag("--watch", "Stay, and show it again whenever something changes")},
       status},
      {"show",
       "Look",
       "Everything about one bead (a piece of work), agent or rig",
       "town show acme-12",
       {word("ID", "Its id"), option("--at", "As it was then, such as 2026-07-01T12:00:00Z")},
       show},
      {"diff",
       "Look",
       "What a bead's branch changes, or what changed in the town between two moments",
       "town diff acme-12",
       {maybe("ID", "The bead's id"), option("--from", "Instead of a bead: since this time"),
        option("--to", "Until this time")},
       diff},
      {"beads",
       "Look",
       "Beads: pieces of work and what came of them",
       "town beads --status open",
       {option("--status", "open, in_progress, in_review, closed or failed"),
        option("--type", "issue, merge_request, convoy, escalation, message or molecule"),
        option("--assignee", "Only this agent's"), rows},
       beads},
      {"agents",
       "Look",
       "Agents: polecats (workers), refineries (who merge) and the mayor",
       "town agents",
       {option("--status", "idle, working, waiting, stalled or dead")},
       agents},
      {"reviews",
       "Look",
       "Work that waits to be tested and merged",
       "town reviews --all",
       {flag("--all", "Ended ones too")},
       reviews},
  };
}

}  // namespace townd::cli
