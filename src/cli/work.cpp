#include <map>

#include "cli/commands.hpp"
#include "cli/convoy_file.hpp"
#include "cli/gates_found.hpp"
#include "cli/input.hpp"
#include "cli/session.hpp"

namespace townd::cli {

namespace {

constexpr std::size_t kConvoyFileLimit = 4 << 20;

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& text : list) array.emplace_back(text);
  return array;
}

expected<int> sling(Session& session, const Values& values) {
  const auto body = text_given(values.text("--body"));
  if (!body) return tl::unexpected(body.error());
  json::object fields{{"title", values.text("TITLE")}};
  if (!body->empty()) fields["body"] = *body;
  if (values.has("--priority")) fields["priority"] = values.text("--priority");
  if (values.has("--after")) fields["after"] = texts(values.list("--after"));
  if (values.has("--label")) fields["labels"] = texts(values.list("--label"));
  if (values.has("--convoy")) fields["convoy_id"] = values.text("--convoy");
  if (values.has("--held")) fields["held"] = true;
  const auto rig = session.rig();
  if (!rig) return tl::unexpected(rig.error());
  return answer(session, session.in_town("bead.sling", {{"rig", *rig}}, fields), [&](const json::value& slung) {
    const json::value& bead = member_of(slung, "bead");
    const std::string id = shown(text_of(bead, "bead_id"));
    session.terminal().line(session.terminal().styled(Style::bold, id) + "  " + shown(text_of(bead, "title")));
    session.terminal().line(values.has("--held") ? "Held. Let it go with: town start " + id
                                                 : "Watch it: town status --watch   Ask about it: town why " + id);
  });
}

expected<int> adopt(Session& session, const Values& values) {
  const std::string what = values.text("BRANCH|URL");
  const auto body = text_given(values.text("--body"));
  if (!body) return tl::unexpected(body.error());
  json::object fields{{is_url(what) ? "pr_url" : "branch", what}};
  if (!body->empty()) fields["body"] = *body;
  if (values.has("--title")) fields["title"] = values.text("--title");
  if (values.has("--priority")) fields["priority"] = values.text("--priority");
  const auto rig = session.rig();
  if (!rig) return tl::unexpected(rig.error());
  return answer(session, session.in_town("branch.adopt", {{"rig", *rig}}, fields), [&](const json::value& bead) {
    const std::string id = shown(text_of(bead, "bead_id"));
    session.terminal().line(session.terminal().styled(Style::bold, id) + "  " + shown(text_of(bead, "title")));
    session.terminal().line("It is tried and lands, or comes back as rework. See: town queue   town why " + id);
  });
}

/// The convoy's rigs, by name in the file, become ids.
expected<void> name_rigs(Session& session, ConvoyFile& file) {
  if (!file.request.contains("rig_id") && file.rigs.size() < list_of(file.request["tasks"]).size()) {
    const auto rig = session.rig();
    if (!rig) return tl::unexpected(rig.error());
    file.request["rig_id"] = *rig;
  } else if (file.request.contains("rig_id")) {
    const auto rig = session.rig_named(std::string(file.request["rig_id"].as_string()));
    if (!rig) return tl::unexpected(rig.error());
    file.request["rig_id"] = *rig;
  }
  for (json::value& task : file.request["tasks"].as_array()) {
    auto* named = task.as_object().if_contains("rig_id");
    if (named == nullptr) continue;
    const auto rig = session.rig_named(std::string(named->as_string()));
    if (!rig) return tl::unexpected(rig.error());
    *named = *rig;
  }
  return {};
}

void print_convoy(Terminal& terminal, const json::value& convoy) {
  const std::string status = text_of(convoy, "status");
  terminal.line(
      terminal.styled(Style::bold, shown(text_of(convoy, "id"))) + "  " + shown(text_of(convoy, "title")) + "  " +
      shown(status) +
      (truth_of(convoy, "staged") ? ", staged: start it with town convoy start " + shown(text_of(convoy, "id")) : "") +
      "  " + text_of(convoy, "closed_beads") + " of " + text_of(convoy, "total_beads"));
  std::map<std::string, std::string> after;
  for (const json::value& edge : list_of(convoy, "dependency_edges")) {
    std::string& list = after[text_of(edge, "bead_id")];
    list += (list.empty() ? "" : " ") + text_of(edge, "depends_on_bead_id");
  }
  Table table({"ID", "STATUS", "TITLE", "AGENT", "AFTER"});
  for (const json::value& bead : list_of(convoy, "beads")) {
    const std::string bead_status = text_of(bead, "status");
    table.row({{text_of(bead, "bead_id"), Style::dim},
               {bead_status, bead_status == "closed"   ? Style::good
                             : bead_status == "failed" ? Style::bad
                                                       : Style::plain},
               {cut(text_of(bead, "title"), 60)},
               {text_of(bead, "assignee_agent_name")},
               {after[text_of(bead, "bead_id")], Style::dim}});
  }
  if (!table.empty()) table.print(terminal);
}

expected<int> convoy_new(Session& session, const Values& values) {
  const std::string path = values.text("FILE");
  const auto text = path == "-" ? text_given(path) : file_contents(path, kConvoyFileLimit);
  if (!text) return tl::unexpected(text.error());
  auto file = read_convoy_file(path, *text);
  if (!file) return tl::unexpected(file.error());
  if (values.has("--staged")) file->request["staged"] = true;
  if (const auto named = name_rigs(session, *file); !named) return tl::unexpected(named.error());
  return answer(session, session.in_town("convoy.create", {}, file->request), [&](const json::value& made) {
    print_convoy(session.terminal(), member_of(made, "convoy").is_null() ? made : member_of(made, "convoy"));
  });
}

expected<int> convoy_status(Session& session, const Values& values) {
  if (values.has("ID")) {
    const std::string id = values.text("ID");
    return answer(session, session.in_town("convoy.get", {{"convoy", id}}, {}, id),
                  [&](const json::value& convoy) { print_convoy(session.terminal(), convoy); });
  }
  return answer(session, session.in_town("convoy.list", {}, {{"all", true}}), [&](const json::value& convoys) {
    Table table({"ID", "STATUS", "DONE", "TITLE"});
    for (const json::value& convoy : list_of(convoys))
      table.row({{text_of(convoy, "id"), Style::dim},
                 {text_of(convoy, "status") + (truth_of(convoy, "staged") ? " (staged)" : "")},
                 {text_of(convoy, "closed_beads") + " of " + text_of(convoy, "total_beads")},
                 {cut(text_of(convoy, "title"), 80)}});
    table.print_or(session.terminal(),
                   "No convoy (pieces of work that land together) yet. Make one: town convoy new FILE");
  });
}

expected<int> convoy_change(Session& session, std::string_view operation, const std::string& convoy,
                            json::object fields, const std::string& done) {
  return answer(session, session.in_town(operation, {{"convoy", convoy}}, std::move(fields), convoy),
                [&](const json::value&) { session.terminal().line(done); });
}

expected<int> convoy_update(Session& session, const Values& values) {
  json::object fields;
  if (values.has("--mode")) fields["merge_mode"] = values.text("--mode");
  if (values.has("--branch")) fields["feature_branch"] = values.text("--branch");
  return answer(session, session.in_town("convoy.update", {{"convoy", values.text("ID")}}, fields, values.text("ID")),
                [&](const json::value& convoy) {
                  session.terminal().line(shown(values.text("ID")) + ": " + shown(text_of(convoy, "merge_mode")) +
                                          ", branch " + shown(text_of(convoy, "feature_branch")));
                });
}

expected<int> convoy_start(Session& session, const Values& values) {
  return convoy_change(session, "convoy.start", values.text("ID"), {}, shown(values.text("ID")) + " is started");
}

expected<int> convoy_close(Session& session, const Values& values) {
  return convoy_change(session, "convoy.close", values.text("ID"), {},
                       shown(values.text("ID")) + " is closed; what still lived in it is cancelled");
}

expected<int> convoy_add(Session& session, const Values& values) {
  json::object fields{{"bead_id", values.text("BEAD")}};
  if (values.has("--after")) fields["depends_on"] = texts(values.list("--after"));
  return convoy_change(session, "convoy.add_bead", values.text("ID"), fields,
                       shown(values.text("BEAD")) + " now belongs to " + shown(values.text("ID")));
}

expected<int> convoy_remove(Session& session, const Values& values) {
  return convoy_change(session, "convoy.remove_bead", values.text("ID"), {{"bead_id", values.text("BEAD")}},
                       shown(values.text("BEAD")) + " no longer belongs to " + shown(values.text("ID")));
}

}  // namespace

std::vector<Command> work_commands() {
  const Param convoy = word("ID", "The convoy's id");
  return {
      {"sling",
       "Give work",
       "Put a bead (a piece of work) on the town",
       "town sling \"Fix the login\" --body - < details.md",
       {word("TITLE", "What is to be done, in one line"),
        option("--body", "Everything that whoever does it must know; - reads standard input"),
        options("--after", "Id of a bead that must be finished first; may be given several times"),
        option("--priority", "low, medium, high or critical"), options("--label", "Label; may be given several times"),
        option("--convoy", "Id of the convoy that it belongs to"), flag("--held", "Do not start it yet")},
       sling},
      {"adopt",
       "Give work",
       "Have a branch or pull request that is there already tested and merged",
       "town adopt feature/totals --title \"Totals on each page\"",
       {word("BRANCH|URL", "Branch of the rig's repository as it is now, or the page of a pull request"),
        option("--title", "What it does, in one line; the branch or the pull request's own when left out"),
        option("--body", "What whoever has to mend it must know; - reads standard input"),
        option("--priority", "low, medium, high or critical")},
       adopt},
      {"convoy new",
       "Give work",
       "Make a convoy: pieces of work with an order between them",
       "town convoy new plan.toml\n\nplan.toml:\n  title = \"Totals\"\n  merge_mode = \"review-then-land\"   # or "
       "review-and-merge\n  [[task]]\n  name = \"parse\"\n  title = \"Read the lines\"\n  body = \"What to know\"     "
       "         # or body_file\n  [[task]]\n  title = \"Add them up\"\n  after = [\"parse\"]\n  priority = \"high\"",
       {word("FILE", "TOML or JSON; - reads standard input"),
        flag("--staged", "Start nothing before: town convoy start")},
       convoy_new},
      {"convoy start", "Give work", "Start a staged convoy", "town convoy start acme-7", {convoy}, convoy_start},
      {"convoy update",
       "Give work",
       "Change how a convoy lands, as long as none of its work is handed in",
       "town convoy update acme-7 --mode review-and-merge",
       {convoy, option("--mode", "review-then-land (all together at the end) or review-and-merge (each as it is done)"),
        option("--branch", "The branch that its work is gathered on until it lands")},
       convoy_update},
      {"convoy status",
       "Give work",
       "One convoy with its beads, or all convoys",
       "town convoy status acme-7",
       {maybe("ID", "The convoy's id; all of them when left out")},
       convoy_status},
      {"convoy add",
       "Give work",
       "Take a bead into a convoy",
       "town convoy add acme-7 acme-12 --after acme-9",
       {convoy, word("BEAD", "The bead's id"), options("--after", "Bead of the convoy that comes before it")},
       convoy_add},
      {"convoy remove",
       "Give work",
       "Take a bead out of a convoy",
       "town convoy remove acme-7 acme-12",
       {convoy, word("BEAD", "The bead's id")},
       convoy_remove},
      {"convoy close",
       "Give work",
       "Close a convoy and cancel what still lives in it",
       "town convoy close acme-7",
       {convoy},
       convoy_close},
  };
}

}  // namespace townd::cli
