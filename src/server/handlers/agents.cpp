#include <array>
#include <functional>

#include "codec/utf8.hpp"
#include "ports/clock.hpp"
#include "ports/runtime.hpp"
#include "ports/store.hpp"
#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/log_tails.hpp"
#include "server/pages.hpp"
#include "server/with_agent.hpp"

namespace townd {
namespace {

constexpr std::int64_t kLogDefault = 64 * 1024;
constexpr std::int64_t kReportsShown = 100;

void list_agents(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const std::string named = call->rig();
    const Rig* rig = find_rig(view.town, named);
    if (!rig && !named.empty()) return call->fail(no_rig(named));
    const Arguments& given = call->arguments();
    Page page(given);
    for (const AgentId& id : view.town.agent_ids()) {
      const Agent& agent = *view.town.agent(id);
      if (rig && agent.rig_id != rig->rig_id) continue;
      if (given.has("role") && chosen<AgentRole>(given, "role") != agent.role) continue;
      if (given.has("status") && chosen<AgentStatus>(given, "status") != agent.status) continue;
      if (page.take(id)) page.add(agent_shape(agent));
    }
    call->succeed(page.rows());
  });
}

void get_agent(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    LateTexts texts;
    json::object shape = agent_detail(view.town, agent, texts);
    call->succeed(std::move(shape), std::move(texts));
  });
}

/// Answers with the agent that the fact made or found.
void answer_with_agent(const CallPtr& call, events::AgentRegistered fact) {
  call->look([call, fact = std::move(fact)](const Engine::View& view) mutable {
    const Rig* rig = find_rig(view.town, call->parameter("rig"));
    if (!rig) return call->fail(no_rig(call->parameter("rig")));
    fact.role = chosen_or(call->arguments(), "role", AgentRole::polecat);
    if (fact.role != AgentRole::mayor) fact.rig_id = rig->rig_id;
    call->submit(std::move(fact), [call](const Receipt& receipt) {
      const AgentId id(receipt.created.empty() ? "" : receipt.created.front());
      call->look([call, id](const Engine::View& after) {
        const Agent* agent = after.town.agent(id);
        if (!agent) return call->fail(Error::Code::conflict, "the agent is gone again");
        call->succeed(agent_shape(*agent));
      });
    });
  });
}

void register_agent(const CallPtr& call) {
  events::AgentRegistered fact;
  fact.name = call->arguments().text("name");
  fact.identity = call->arguments().text("identity");
  answer_with_agent(call, std::move(fact));
}

void get_or_create_agent(const CallPtr& call) {
  events::AgentRegistered fact;
  fact.reuse = true;
  answer_with_agent(call, std::move(fact));
}

/// Submits what `fact` makes of the agent that the path names, then answers with one word.
void change_agent(const CallPtr& call, std::string_view word, std::function<EventBody(const Agent&)> fact) {
  with_agent(call, [call, word, fact = std::move(fact)](const Engine::View&, const Agent& agent) {
    call->submit(fact(agent), [call, word](const Receipt&) { call->succeed(json::object{{word, true}}); });
  });
}

void delete_agent(const CallPtr& call) {
  change_agent(call, "deleted", [call](const Agent& agent) {
    return events::AgentDeleted{agent.agent_id, call->actor()};
  });
}

void hook_agent(const CallPtr& call) {
  change_agent(call, "hooked", [call](const Agent& agent) {
    return events::AgentHooked{agent.agent_id, BeadId(call->arguments().text("bead_id"))};
  });
}

void unhook_agent(const CallPtr& call) {
  change_agent(call, "unhooked", [](const Agent& agent) { return events::AgentUnhooked{agent.agent_id}; });
}

void reset_agent(const CallPtr& call) {
  change_agent(call, "reset", [call](const Agent& agent) { return events::AgentReset{agent.agent_id, call->actor()}; });
}

/// The run that the request names, the agent's current one, or the last one it had.
RunId run_of(const Call& call, const Town& town, const Agent& agent) {
  if (call.arguments().has("run_id")) return RunId(call.arguments().text("run_id"));
  if (!agent.run_id.empty()) return agent.run_id;
  RunId last;
  for (const RunId& id : town.run_ids())
    if (town.run(id)->agent_id == agent.agent_id) last = id;
  return last;
}

void read_log(const CallPtr& call, const RunId& run) {
  const std::int64_t offset = call->arguments().integer("offset");
  const auto bytes = call->services().runtime.log(run, offset, call->arguments().integer("limit", kLogDefault));
  if (!bytes) return call->fail(bytes.error());
  json::object shape;
  shape.emplace("run_id", run.text);
  shape.emplace("offset", offset);
  shape.emplace("next_offset", offset + static_cast<std::int64_t>(bytes->size()));
  shape.emplace("text", valid_utf8(*bytes));
  call->succeed(std::move(shape));
}

void agent_log(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const RunId run = run_of(*call, view.town, agent);
    const Run* known = view.town.run(run);
    if (known && known->agent_id != agent.agent_id)
      return call->fail(Error::Code::not_found, "the run " + run.text + " is another agent's");
    if (run.empty())
      return call->fail(Error::Code::not_found, agent.name + " has had no run yet", "wait until it is dispatched");
    if (!call->arguments().truth("follow")) return call->background([call, run] { read_log(call, run); });
    const auto stream = call->services().tails.follow(call->town(), run, call->arguments().integer("offset"));
    if (!stream) return call->fail(Error::Code::too_many, "too many streams are open", "close one and try again");
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.stream = stream;
    call->respond(std::move(response));
  });
}

// ---- what its program says of itself -------------------------------------------------------------------------------

void report(const CallPtr& call) {
  const AgentId agent(call->arguments().text("agent_id"));
  if (agent != call->caller().agent)
    return call->fail(Error::Code::forbidden, "a run's token reports for its own agent only");
  AgentEventRow row;
  row.event_type = call->arguments().text("event_type");
  row.data = call->arguments().canonical("data", "null");
  row.created_at = call->services().clock.now();
  const auto id = call->services().store.add_agent_event(call->town(), agent, std::move(row));
  if (!id) return call->fail(id.error());
  call->succeed(json::object{{"appended", true}, {"id", *id}});
}

void list_reports(const CallPtr& call, const AgentId& agent) {
  const Arguments& given = call->arguments();
  const auto rows = call->services().store.agent_events(call->town(), agent, given.integer("after_id"),
                                                        static_cast<int>(given.integer("limit", kReportsShown)));
  if (!rows) return call->fail(rows.error());
  json::array list;
  for (const AgentEventRow& row : *rows) {
    json::object shape{{"id", row.id}, {"agent_id", agent.text}, {"event_type", row.event_type}};
    shape.emplace("data", parse_json(row.data).value_or(json::value(nullptr)));
    shape.emplace("created_at", to_text(row.created_at));
    list.push_back(std::move(shape));
  }
  call->succeed(std::move(list));
}

void agent_reports(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    call->background([call, id = agent.agent_id] { list_reports(call, id); });
  });
}

constexpr std::array<NamedHandler, 11> kHandlers{{
    {"agent.list", list_agents},
    {"agent.get", get_agent},
    {"agent.register", register_agent},
    {"agent.get_or_create", get_or_create_agent},
    {"agent.delete", delete_agent},
    {"agent.hook", hook_agent},
    {"agent.unhook", unhook_agent},
    {"agent.reset", reset_agent},
    {"agent.log", agent_log},
    {"agent.report", report},
    {"agent.events", agent_reports},
}};

}  // namespace

std::span<const NamedHandler> agent_handlers() { return kHandlers; }

}  // namespace townd
