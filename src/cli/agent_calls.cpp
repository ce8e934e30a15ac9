#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/own_work.hpp"
#include "cli/run_calls.hpp"

/// What an agent calls from its clone. The run's token is in its environment; people may call the same with --agent.
namespace townd::cli {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

expected<int> say_done(Session& session, const expected<json::value>& result, const std::string& line) {
  return answer(session, result, [&](const json::value& said) {
    const std::string note = text_of(said, "note");
    session.terminal().line(note.empty() ? line : "Noted, but: " + shown(note));
  });
}

expected<int> prime(Session& session, const Values&) {
  return answer(session, call_as_agent(session, "agent.prime", {}),
                [&](const json::value& context) { session.terminal().line(shown(pretty(context), Keep::lines)); });
}

expected<int> done(Session& session, const Values& values) {
  const auto summary = text_given(values.text("--summary"));
  if (!summary) return tl::unexpected(summary.error());
  json::object fields;
  if (!summary->empty()) fields["summary"] = *summary;
  if (values.has("--pr-url")) fields["pr_url"] = values.text("--pr-url");
  auto work = own_work();
  if (!work) return tl::unexpected(work.error());
  if (!work->uncommitted.empty() && !values.has("--leave-changes"))
    return fail(
        Error::Code::conflict, "there are changes that are not committed:\n" + work->uncommitted,
        "Commit them, or throw them away, or say that they do not belong to the work: town done --leave-changes");
  const std::string branch =
      values.text("--branch", environment("TOWN_BRANCH").empty() ? work->branch : environment("TOWN_BRANCH"));
  if (!branch.empty()) fields["branch"] = branch;
  const std::string commit = values.text("--commit", work->commit);
  if (!commit.empty()) fields["commit"] = commit;
  return say_done(session, call_as_agent(session, "agent.done", fields),
                  "Handed in" + (branch.empty() ? std::string() : ": " + shown(branch)) + ". Nothing is left to do.");
}

expected<int> give_up(Session& session, const Values& values) {
  const auto reason = text_given(values.text("--reason"));
  if (!reason) return tl::unexpected(reason.error());
  return say_done(session, call_as_agent(session, "agent.fail", {{"reason", *reason}}),
                  "Given up; a person will see why.");
}

expected<int> request_changes(Session& session, const Values& values) {
  const auto feedback = text_given(values.text("FEEDBACK"));
  if (!feedback) return tl::unexpected(feedback.error());
  json::object fields{{"feedback", *feedback}};
  json::array files;
  for (const std::string& file : values.list("--file")) files.emplace_back(file);
  if (!files.empty()) fields["files"] = files;
  return answer(session, call_as_agent(session, "agent.request_changes", fields), [&](const json::value& rework) {
    session.terminal().line("Sent back as " + shown(text_of(rework, "rework_bead_id")) + ". Now call: town done");
  });
}

expected<int> checkpoint(Session& session, const Values& values) {
  const auto text = text_given(values.text("DATA"));
  if (!text) return tl::unexpected(text.error());
  auto data = parse_json(*text);
  return say_done(session, call_as_agent(session, "agent.checkpoint", {{"data", data ? *data : json::value(*text)}}),
                  "Noted for whoever continues this work.");
}

expected<int> say(Session& session, const Values& values) {
  return say_done(session, call_as_agent(session, "agent.say", {{"message", values.text("MESSAGE")}}), "Said.");
}

expected<int> escalate(Session& session, const Values& values) {
  const auto body = text_given(values.text("--body"));
  if (!body) return tl::unexpected(body.error());
  json::object fields{{"title", values.text("TITLE")}};
  if (!body->empty()) fields["body"] = *body;
  for (const char* name : {"--priority", "--category"})
    if (values.has(name)) fields[std::string_view(name).substr(2)] = values.text(name);
  Client::Path path;
  if (const std::string rig = environment("TOWN_RIG"); !rig.empty() || session.values().has("--rig")) {
    const auto found = session.rig();
    if (!found) return tl::unexpected(found.error());
    path.emplace_back("rig", *found);
  }
  return answer(session, session.in_town("escalation.raise", path, fields), [&](const json::value& bead) {
    session.terminal().line("A person is asked: " + shown(text_of(bead, "bead_id")));
  });
}

}  // namespace

std::vector<Command> agent_commands() {
  const Param agent = option("--agent", "The agent, when a person calls this (or TOWN_AGENT)");
  const std::string group = "For agents";
  return {
      {"prime",
       group,
       "Everything that the run must know: its work, its branch, earlier feedback, its mail",
       "town prime --get rework_context.feedback",
       {agent},
       prime},
      {"done",
       group,
       "Hand the committed work in",
       "town done --summary \"Lines are read and checked\"",
       {option("--summary", "What was done; - reads standard input"),
        option("--branch", "Where it is; the run's own when left out"),
        option("--commit", "Its tip; HEAD when left out"), option("--pr-url", "Its pull request"),
        flag("--leave-changes", "Uncommitted changes do not belong to the work"), agent},
       done},
      {"fail",
       group,
       "Give the work up",
       "town fail --reason \"The API it needs does not exist\"",
       {Param{"--reason", Param::Kind::text, "Why it cannot be done; - reads standard input", true}, agent},
       give_up},
      {"request-changes",
       group,
       "Refinery (who merges): send the work back",
       "town request-changes \"The test for zero is missing\" --file lib/total.sh",
       {word("FEEDBACK", "What has to change; - reads standard input"),
        options("--file", "Where; may be given several times"), agent},
       request_changes},
      {"checkpoint",
       group,
       "Leave notes for whoever continues this work",
       "town checkpoint '{\"next\":\"tests\"}'",
       {word("DATA", "Text or JSON; - reads standard input"), agent},
       checkpoint},
      {"say",
       group,
       "One line for people about what you are doing",
       "town say \"Reading the parser\"",
       {word("MESSAGE", "At most 280 characters"), agent},
       say},
      {"escalate",
       group,
       "Ask a person for help",
       "town escalate \"Two specifications contradict each other\" --priority high",
       {word("TITLE", "What is wrong"), option("--body", "Everything known about it; - reads standard input"),
        option("--priority", "low, medium, high or critical"), option("--category", "What kind of trouble")},
       escalate},
  };
}

}  // namespace townd::cli
