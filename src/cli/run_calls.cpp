#include "cli/run_calls.hpp"

#include <cstdlib>

#include "server/operations.hpp"

namespace townd::cli {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

expected<json::value> call_as_agent(Session& session, std::string_view operation, json::object fields) {
  std::string agent = session.values().text("--agent", environment("TOWN_AGENT"));
  if (agent.empty())
    return fail(Error::Code::invalid, "this is what an agent calls, and TOWN_AGENT is not set",
                "Call it from an agent's run, or name the agent with --agent ID.");
  if (session.values().has("--agent")) {
    const auto named = session.agent_named(agent);
    if (!named) return tl::unexpected(named.error());
    agent = *named;
  }
  const Operation* known = find_operation(operation);
  const bool reads = known != nullptr && known->query();
  if (const std::string run = environment("TOWN_RUN"); !run.empty() && !reads) fields["run_id"] = run;
  return session.in_town(operation, {{"agent", agent}}, std::move(fields));
}

expected<void> mark_read(Session& session, const json::value& mail) {
  for (const json::value& one : list_of(mail))
    if (const auto read = session.in_town("mail.inbox_read", {{"mail", text_of(one, "mail_id")}}); !read)
      return tl::unexpected(read.error());
  return {};
}

}  // namespace townd::cli
