#include "cli/commands.hpp"
#include "cli/session.hpp"

/// Tokens of people and programs that reach the daemon over HTTP.
namespace townd::cli {

namespace {

/// Tokens belong to the node, not to a town.
expected<json::value> on_node(Session& session, std::string_view operation, Client::Path path, json::object fields) {
  const auto client = session.client();
  if (!client) return tl::unexpected(client.error());
  return (*client)->call(operation, path, std::move(fields));
}

expected<int> token_new(Session& session, const Values& values) {
  json::object fields{{"role", values.text("ROLE")}};
  if (values.has("--id")) fields["id"] = values.text("--id");
  return answer(session, on_node(session, "token.create", {}, fields), [&](const json::value& made) {
    session.terminal().line(text_of(made, "token"));
    session.terminal().line("It is shown this once. End it with: town token revoke " + shown(text_of(made, "id")));
  });
}

expected<int> token_list(Session& session, const Values&) {
  return answer(session, on_node(session, "token.list", {}, {}), [&](const json::value& list) {
    Table table({"ID", "ROLE", "SINCE"});
    for (const json::value& token : list_of(list))
      table.row({{text_of(token, "id"), Style::bold}, {text_of(token, "role")}, {text_of(token, "created_at")}});
    table.print(session.terminal());
  });
}

expected<int> token_revoke(Session& session, const Values& values) {
  const std::string id = values.text("ID");
  return answer(session, on_node(session, "token.revoke", {{"token", id}}, {}),
                [&](const json::value&) { session.terminal().line(shown(id) + " is no longer good for anything."); });
}

}  // namespace

std::vector<Command> token_commands() {
  const std::string group = "Keep";
  return {
      {"token new",
       group,
       "A token for a person or program that comes over HTTP",
       "town token new viewer --id dashboard",
       {word("ROLE", "admin, operator (all but tokens and secrets) or viewer"),
        option("--id", "A short public name; made up when left out")},
       token_new},
      {"token list", group, "Tokens, without the tokens themselves", "town token list", {}, token_list},
      {"token revoke",
       group,
       "End a token at once",
       "town token revoke dashboard",
       {word("ID", "Its public name")},
       token_revoke},
  };
}

}  // namespace townd::cli
