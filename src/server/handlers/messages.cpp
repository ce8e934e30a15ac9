#include <array>

#include "codec/time_text.hpp"
#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/pages.hpp"

namespace townd {
namespace {

/// The rig that a message belongs to: the path's or the caller's own; empty for the town.
RigId rig_of(const Call& call, const Town& town) {
  const Rig* rig = find_rig(town, call.rig());
  return rig ? rig->rig_id : RigId();
}

/// How an agent calls those who are no agents.
constexpr std::string_view kPeopleName = "people";

/// Within its rig an agent may speak to anybody, and to the mayor; others to anybody.
const Agent* reader(const Call& call, const Town& town, std::string_view field) {
  const Agent* agent = find_agent(town, call.arguments().text(field));
  if (!agent || agent->role == AgentRole::mayor || call.caller().role != kAgent) return agent;
  return agent->rig_id == call.caller().rig ? agent : nullptr;
}

void answer_with_bead(const CallPtr& call, const BeadId& id) {
  call->look([call, id](const Engine::View& view) {
    const Bead* bead = view.town.bead(id);
    if (!bead) return call->fail(Error::Code::not_found, "there is no bead " + id.text + " here");
    LateTexts texts;
    json::object shape = bead_shape(view.town, *bead);
    texts.want(shape, "body", bead->body);
    call->succeed(std::move(shape), std::move(texts));
  });
}

void send_mail(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    const bool to_people = given.text("to_agent_id") == kPeopleName;
    const Agent* to = to_people ? nullptr : reader(*call, view.town, "to_agent_id");
    if (!to && !to_people) return call->fail(no_agent(given.text("to_agent_id")));
    const AgentId from = call->caller().has_run() ? call->caller().agent : AgentId(given.text("from_agent_id"));
    if (call->caller().has_run() && given.has("from_agent_id") && given.text("from_agent_id") != from.text)
      return call->fail(Error::Code::forbidden, "mail can be sent in one's own name only", "leave from_agent_id out");
    call->submit(events::MailSent{from, to ? to->agent_id : AgentId(), rig_of(*call, view.town), given.text("subject"),
                                  given.text("body")},
                 [call](const Receipt&) {
                   call->succeed(json::object{{"sent", true}});
                 });
  });
}

/// Mail to people has no recipient.
void list_inbox(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    Page page(given);
    LateTexts texts;
    const auto show = [&](const MessageId& id) {
      const Mail* mail = view.town.mail(id);
      if (!mail || mail->to_agent_id || (given.has("from") && mail->from_agent_id != AgentId(given.text("from"))))
        return;
      if (page.take(id)) page.add(mail_shape(*mail, texts));
    };
    if (given.truth("all"))
      for (const MessageId& id : view.town.mail_ids()) show(id);
    else
      for (const MessageId& id : view.town.undelivered(AgentId())) show(id);
    call->succeed(page.rows(), std::move(texts));
  });
}

void read_inbox(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const MessageId id(call->parameter("mail"));
    const Mail* mail = view.town.mail(id);
    if (!mail || mail->to_agent_id)
      return call->fail(Error::Code::not_found, "there is no mail " + id.text + " to people");
    call->submit(events::MailDelivered{id, true}, [call](const Receipt&) {
      call->succeed(json::object{{"read", true}});
    });
  });
}

void send_nudge(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    const Agent* target = reader(*call, view.town, "target_agent_id");
    if (!target) return call->fail(no_agent(given.text("target_agent_id")));
    events::NudgeQueued fact;
    fact.agent_id = target->agent_id;
    fact.message = given.text("message");
    fact.mode = chosen_or(given, "mode", NudgeMode::wait_idle);
    fact.source = call->actor();
    call->submit(std::move(fact), [call](const Receipt& receipt) {
      call->succeed(json::object{
          {"nudge_id", receipt.created.empty() ? json::value(nullptr) : json::value(receipt.created.front())}});
    });
  });
}

void raise_escalation(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    events::EscalationRaised fact;
    fact.agent_id = call->caller().agent;
    fact.rig_id = rig_of(*call, view.town);
    fact.severity = chosen_or(given, "priority", Priority::medium);
    fact.category = given.text("category");
    fact.title = given.text("title");
    fact.body = given.text("body");
    call->submit(std::move(fact), [call](const Receipt& receipt) {
      if (receipt.created.empty()) return call->fail(Error::Code::conflict, "no escalation was made: " + receipt.note);
      answer_with_bead(call, BeadId(receipt.created.front()));
    });
  });
}

void list_escalations(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    Page page(given);
    for (const BeadId& id : view.town.bead_ids()) {
      const Bead& bead = *view.town.bead(id);
      if (bead.type != BeadType::escalation || (terminal(bead.status) && !given.truth("all"))) continue;
      const auto* escalation = bead.detail ? std::get_if<Escalation>(bead.detail.get()) : nullptr;
      if (given.has("acknowledged") && (escalation && escalation->acknowledged) != given.truth("acknowledged"))
        continue;
      if (page.take(id)) page.add(bead_shape(view.town, bead));
    }
    call->succeed(page.rows());
  });
}

void acknowledge(const CallPtr& call) {
  const BeadId id = call->bead();
  call->submit(events::EscalationAcknowledged{id, call->actor()},
               [call, id](const Receipt&) { answer_with_bead(call, id); });
}

void list_triage(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    Page page(call->arguments());
    for (const BeadId& id : view.town.open_triage_requests()) {
      const Bead& bead = *view.town.bead(id);
      const auto* question = bead.detail ? std::get_if<TriageRequest>(bead.detail.get()) : nullptr;
      if (!question || !page.take(id)) continue;
      json::object shape{{"bead_id", id.text},
                         {"title", bead.title},
                         {"triage_type", question->triage_type},
                         {"agent_id", question->agent.text},
                         {"about_bead_id", question->bead.text},
                         {"run_id", question->run.text},
                         {"reason", question->reason},
                         {"options", to_json(question->options)},
                         {"created_at", to_text(bead.created_at)}};
      page.add(std::move(shape));
    }
    call->succeed(page.rows());
  });
}

/// An agent decides only while it holds a triage batch that the town made (reference §a.2).
void resolve_triage(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    if (call->caller().role == kAgent) {
      const Agent* agent = view.town.agent(call->caller().agent);
      const Bead* hook = agent ? view.town.bead(agent->current_hook_bead_id) : nullptr;
      if (!hook || !has_label(*hook, "gt:triage"))
        return call->fail(Error::Code::forbidden,
                          "only an agent with a triage batch on its hook decides triage requests");
    }
    const BeadId id(given.text("triage_request_bead_id"));
    call->submit(events::TriageResolved{id, call->caller().agent, given.text("action"), given.text("resolution_notes")},
                 [call, id](const Receipt&) { answer_with_bead(call, id); });
  });
}

constexpr std::array<NamedHandler, 9> kHandlers{{
    {"mail.send", send_mail},
    {"mail.inbox", list_inbox},
    {"mail.inbox_read", read_inbox},
    {"nudge.send", send_nudge},
    {"escalation.raise", raise_escalation},
    {"escalation.list", list_escalations},
    {"escalation.acknowledge", acknowledge},
    {"triage.list", list_triage},
    {"triage.resolve", resolve_triage},
}};

}  // namespace

std::span<const NamedHandler> message_handlers() { return kHandlers; }

}  // namespace townd
