#include <array>

#include "codec/time_text.hpp"
#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"

/// The agent that people talk to (reference §a.5): a word to it is mail, and mail wakes it.
namespace townd {
namespace {

const Agent* mayor_of(const Town& town) { return town.mayors().empty() ? nullptr : town.agent(*town.mayors().begin()); }

/// `active` while it runs, `starting` until it is told what it has not heard yet, else `idle`.
std::string_view session_status(const Town& town, const Agent& mayor) {
  const Run* run = town.run(mayor.run_id);
  if (run && run->state == RunState::running) return "active";
  const bool under_way = run && run->state != RunState::ended;
  return under_way || !town.undelivered(mayor.agent_id).empty() ? "starting" : "idle";
}

json::object session_shape(const Town& town, const Agent& mayor) {
  return {{"agentId", mayor.agent_id.text}, {"sessionStatus", session_status(town, mayor)}};
}

void answer_with_session(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Agent* mayor = mayor_of(view.town);
    if (!mayor) return call->fail(Error::Code::conflict, "the mayor is gone again");
    call->succeed(session_shape(view.town, *mayor));
  });
}

/// Goes on with the mayor's id; the first who speaks to it makes it.
void with_mayor(const CallPtr& call, std::function<void(const AgentId&)> then) {
  events::AgentRegistered fact;
  fact.role = AgentRole::mayor;
  fact.reuse = true;
  call->look([call, fact = std::move(fact), then = std::move(then)](const Engine::View& view) mutable {
    if (const Agent* mayor = mayor_of(view.town)) return then(mayor->agent_id);
    call->submit(std::move(fact), [call, then = std::move(then)](const Receipt& receipt) {
      if (receipt.created.empty()) return call->fail(Error::Code::conflict, "no mayor was made: " + receipt.note);
      then(AgentId(receipt.created.front()));
    });
  });
}

void ensure(const CallPtr& call) {
  with_mayor(call, [call](const AgentId&) { answer_with_session(call); });
}

void message(const CallPtr& call) {
  const Arguments& given = call->arguments();
  events::MailSent fact;
  fact.subject = "A word from " + call->actor();
  fact.body = given.text("message");
  if (given.has("uiContext")) fact.body += "\n\nWhat they see:\n" + given.text("uiContext");
  with_mayor(call, [call, fact = std::move(fact)](const AgentId& mayor) mutable {
    fact.to_agent_id = mayor;
    call->submit(std::move(fact), [call](const Receipt&) { answer_with_session(call); });
  });
}

void status(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    json::object shape{{"configured", true}, {"townId", view.town.row().town_id.text}, {"session", nullptr}};
    if (const Agent* mayor = mayor_of(view.town))
      shape["session"] = json::object{{"agentId", mayor->agent_id.text},
                                      {"status", session_status(view.town, *mayor)},
                                      {"agentStatus", to_json(mayor->status)},
                                      {"lastActivityAt", to_json(mayor->last_activity_at)}};
    call->succeed(std::move(shape));
  });
}

/// The program and its login are settings of the node: there is nothing to configure here, and that is no error.
void configure(const CallPtr& call) { call->succeed(json::object{{"configured", true}}); }

void completed(const CallPtr& call) {
  events::AgentCompleted fact;
  fact.agent_id = AgentId(call->arguments().text("agentId"));
  fact.run_id = call->run();
  fact.status = call->arguments().text("status");
  fact.reason = call->arguments().text("reason");
  call->submit(std::move(fact), [call](const Receipt&) { call->succeed(json::object{{"completed", true}}); });
}

/// Ends what it does now; the conversation stays.
void destroy(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Agent* mayor = mayor_of(view.town);
    if (!mayor) return call->succeed(json::object{{"destroyed", false}});
    call->submit(events::AgentReset{mayor->agent_id, call->actor()}, [call](const Receipt&) {
      call->succeed(json::object{{"destroyed", true}});
    });
  });
}

void mayor_id(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Agent* mayor = mayor_of(view.town);
    call->succeed(json::object{{"agentId", mayor ? json::value(mayor->agent_id.text) : json::value(nullptr)}});
  });
}

constexpr std::array<NamedHandler, 7> kHandlers{{
    {"mayor.ensure", ensure},
    {"mayor.message", message},
    {"mayor.status", status},
    {"mayor.configure", configure},
    {"mayor.completed", completed},
    {"mayor.destroy", destroy},
    {"mayor.id", mayor_id},
}};

}  // namespace

std::span<const NamedHandler> mayor_handlers() { return kHandlers; }

}  // namespace townd
