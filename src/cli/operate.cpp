#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

/// A command that asks for one thing and says in a sentence that it was done.
expected<int> ask(Session& session, std::string_view operation, Client::Path path, json::object fields,
                  const std::string& done, std::string_view id = {}) {
  return answer_with(session, session.in_town(operation, std::move(path), std::move(fields), id), done);
}

Command on_bead(std::string name, std::string operation, std::string summary, std::string said) {
  Command command{name, "Step in", std::move(summary), "town " + name + " acme-12", {word("ID", "The bead's id")}, {}};
  command.run = [operation, said](Session& session, const Values& values) {
    const std::string id = values.text("ID");
    return ask(session, operation, {{"bead", id}}, {}, shown(id) + " " + said, id);
  };
  return command;
}

expected<int> cancel(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  json::object fields;
  if (values.has("--closed")) fields["status"] = "closed";
  return ask(session, "bead.cancel", {{"bead", id}}, fields,
             shown(id) + " is cancelled; whoever works on it is stopped", id);
}

/// Takes the label that holds a bead away.
expected<int> start(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  const auto bead = session.in_town("bead.get", {{"bead", id}}, {}, id);
  if (!bead) return tl::unexpected(bead.error());
  json::array others;
  for (const json::value& label : list_of(*bead, "labels"))
    if (label != "gt:held") others.push_back(label);
  if (others.size() == list_of(*bead, "labels").size())
    return fail(Error::Code::conflict, shown(id) + " is not held", "See what it waits for: town why " + shown(id));
  return ask(session, "bead.update", {{"bead", id}}, {{"labels", others}}, shown(id) + " may be worked on now", id);
}

expected<int> pause(Session& session, const Values& values) {
  json::object fields;
  if (values.has("--reason")) fields["reason"] = values.text("--reason");
  return ask(session, "town.pause", {}, fields,
             "The town is paused: what runs goes on, nothing new is started. Go on with: town resume");
}

expected<int> resume(Session& session, const Values&) {
  return ask(session, "town.resume", {}, {}, "The town goes on.");
}

expected<int> drain(Session& session, const Values& values) {
  json::object fields;
  if (values.has("--end")) fields["end"] = true;
  return ask(session, "town.drain", {}, fields,
             values.has("--end") ? "The drain has ended; work is started again."
                                 : "Draining: nothing new is started for seven minutes. End it with: town drain --end");
}

expected<int> reset(Session& session, const Values& values) {
  const auto agent = session.agent_named(values.text("AGENT"));
  if (!agent) return tl::unexpected(agent.error());
  return ask(session, "agent.reset", {{"agent", *agent}}, {},
             shown(values.text("AGENT")) + " is idle; what it did is stopped and given back", *agent);
}

}  // namespace

std::vector<Command> operate_commands() {
  return {
      {"pause",
       "Step in",
       "Start nothing new until resume",
       "town pause --reason \"release day\"",
       {option("--reason", "Why, for whoever looks")},
       pause},
      {"resume", "Step in", "End a pause", "town resume", {}, resume},
      {"drain",
       "Step in",
       "Start nothing new for seven minutes and count no silence, as before a restart",
       "town drain",
       {flag("--end", "End the drain now")},
       drain},
      {"start",
       "Step in",
       "Let a held bead (a piece of work) go",
       "town start acme-12",
       {word("ID", "The bead's id; a staged convoy has `town convoy start`")},
       start},
      {"cancel",
       "Step in",
       "End a bead (a piece of work) and stop its agent",
       "town cancel acme-12",
       {word("ID", "The bead's or convoy's id"), flag("--closed", "Let it end as closed instead of failed")},
       cancel},
      on_bead("reopen", "bead.reopen", "Open a failed bead (a piece of work) again with a clean slate",
              "is open again"),
      on_bead("retry", "bead.retry", "Try a bead (a piece of work) again now, whatever back-off or attempts say",
              "begins anew: back-off and attempts are forgotten. What it still waits for: town why"),
      {"reset",
       "Step in",
       "Stop an agent's run and give its work back",
       "town reset toast",
       {word("AGENT", "The agent's name or id")},
       reset},
  };
}

}  // namespace townd::cli
