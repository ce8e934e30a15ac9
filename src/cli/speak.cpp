#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/run_calls.hpp"
#include "cli/session.hpp"

/// Words between people and agents: nudges, mail, questions and the answers to them.
namespace townd::cli {

namespace {

expected<int> nudge(Session& session, const Values& values) {
  const auto agent = session.agent_named(values.text("AGENT"));
  if (!agent) return tl::unexpected(agent.error());
  const auto message = text_given(values.text("MESSAGE"));
  if (!message) return tl::unexpected(message.error());
  json::object fields{{"target_agent_id", *agent}, {"message", *message}};
  if (values.has("--mode")) fields["mode"] = values.text("--mode");
  return answer_with(session, session.in_town("nudge.send", {}, fields, *agent),
                     shown(values.text("AGENT")) + " is told as soon as it can hear it.");
}

expected<int> mail_send(Session& session, const Values& values) {
  const bool to_people = values.text("AGENT") == "people";
  const auto agent = to_people ? expected<std::string>("people") : session.agent_named(values.text("AGENT"));
  if (!agent) return tl::unexpected(agent.error());
  if (to_people && std::getenv("TOWN_AGENT") == nullptr)
    return fail(Error::Code::invalid, "agents write to people; you are one of them", "name an agent: town agents");
  const auto body = text_given(values.text("--body", "-"));
  if (!body) return tl::unexpected(body.error());
  const json::object fields{{"to_agent_id", *agent}, {"subject", values.text("SUBJECT")}, {"body", *body}};
  return answer_with(session, session.in_town("mail.send", {}, fields, *agent),
                     "Sent: " + shown(values.text("AGENT")) + " reads it with its next look at its mail.");
}

/// An agent's own mail; without an agent, what agents wrote to people.
expected<int> mail_read(Session& session, const Values& values) {
  const bool agents = values.has("--agent") || std::getenv("TOWN_AGENT") != nullptr;
  const auto unread = agents ? call_as_agent(session, "agent.mail", {}) : session.in_town("mail.inbox");
  if (!unread) return tl::unexpected(unread.error());
  const auto code = answer(session, unread, [&](const json::value& list) {
    if (list_of(list).empty()) session.terminal().line("No mail.");
    for (const json::value& mail : list_of(list)) {
      const std::string from = text_of(mail, "from_agent_id");
      session.terminal().line("From " + (from.empty() ? "the town or its people" : shown(from)) + ": " +
                              shown(text_of(mail, "subject")));
      session.terminal().line(shown(text_of(mail, "body"), Keep::lines) + "\n");
    }
  });
  // What a person was shown is read; what an agent was given was so when it asked.
  if (!agents && code)
    if (const auto read = mark_read(session, *unread); !read) return tl::unexpected(read.error());
  return code;
}

expected<int> escalations(Session& session, const Values& values) {
  json::object query;
  if (values.has("--all")) query["all"] = true;
  return answer(session, session.in_town("escalation.list", {}, query), [&](const json::value& list) {
    Table table({"ID", "STATUS", "PRIORITY", "SINCE", "TITLE"});
    for (const json::value& bead : list_of(list))
      table.row({{text_of(bead, "bead_id"), Style::dim},
                 {text_of(bead, "status")},
                 {text_of(bead, "priority")},
                 {text_of(bead, "created_at")},
                 {cut(text_of(bead, "title"), 80)}});
    table.print_or(session.terminal(), "Nobody asks for help.");
  });
}

expected<int> ack(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  return answer_with(session, session.in_town("escalation.acknowledge", {{"bead", id}}, {}, id),
                     shown(id) + " is seen; it is not raised again.");
}

expected<int> triage_list(Session& session, const Values&) {
  return answer(session, session.in_town("triage.list"), [&](const json::value& list) {
    Table table({"ID", "ABOUT", "BEAD", "WHY", "MAY BE"});
    for (const json::value& question : list_of(list)) {
      std::string options;
      for (const json::value& option : list_of(question, "options"))
        if (option.is_string()) options += (options.empty() ? "" : " ") + std::string(option.get_string());
      table.row({{text_of(question, "bead_id"), Style::dim},
                 {text_of(question, "agent_id"), Style::bold},
                 {text_of(question, "about_bead_id")},
                 {cut(text_of(question, "reason"), 60)},
                 {options}});
    }
    table.print_or(session.terminal(), "No agent is in question.");
  });
}

expected<int> triage_resolve(Session& session, const Values& values) {
  const auto notes = text_given(values.text("--notes"));
  if (!notes) return tl::unexpected(notes.error());
  const std::string action = values.text("ACTION");
  const std::string id = values.text("ID");
  const json::object fields{
      {"triage_request_bead_id", id}, {"action", action}, {"resolution_notes", notes->empty() ? action : *notes}};
  return answer_with(session, session.in_town("triage.resolve", {}, fields, id),
                     shown(id) + " is decided: " + shown(action));
}

}  // namespace

std::vector<Command> speak_commands() {
  const std::string group = "Step in";
  return {
      {"nudge",
       group,
       "Say a word to an agent at work",
       "town nudge toast \"The API moved to /v2\"",
       {word("AGENT", "The agent's name or id"), word("MESSAGE", "The word; - reads standard input"),
        option("--mode", "wait-idle (as soon as it listens), immediate or queue; wait-idle when left out")},
       nudge},
      {"mail send",
       group,
       "Send an agent mail that waits until it is read",
       "town mail send toast \"About the parser\" --body - < notes.md",
       {word("AGENT", "The agent's name or id; an agent may also write to `people`"), word("SUBJECT", "What about"),
        option("--body", "The text; standard input when left out")},
       mail_send},
      {"mail read",
       group,
       "Unread mail: what agents wrote to people, or an agent's own; reading it makes it read",
       "town mail read",
       {option("--agent", "That agent's mail instead (or TOWN_AGENT)")},
       mail_read},
      {"escalations",
       "Look",
       "Escalations: where a person is asked for help",
       "town escalations",
       {flag("--all", "Ended ones too")},
       escalations},
      {"ack",
       group,
       "Say that a person has seen an escalation (a call for help)",
       "town ack acme-31",
       {word("ID", "The escalation's id")},
       ack},
      {"triage list", group, "Triage: open questions about stuck agents", "town triage list", {}, triage_list},
      {"triage resolve",
       group,
       "Decide a question about a stuck agent",
       "town triage resolve acme-40 restart --notes \"the network was down\"",
       {word("ID", "The question's id"),
        word("ACTION",
             "restart, restart-with-backoff, close-bead, escalate, escalate-to-mayor, nudge, reassign-bead, "
             "discard or provide-guidance"),
        option("--notes", "Why, or the guidance; - reads standard input")},
       triage_resolve},
  };
}

}  // namespace townd::cli
