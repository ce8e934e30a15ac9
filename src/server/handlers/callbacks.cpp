#include <algorithm>
#include <array>

#include "codec/describe_events.hpp"
#include "core/text.hpp"
#include "engine/carry_out.hpp"
#include "git/names.hpp"
#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/with_agent.hpp"

/// What agents call from their clones. Each names its run: a run's token does it for them.
namespace townd {
namespace {

constexpr std::size_t kOpenBeadsShown = 20;  // reference-behaviour §c.2, list limits
constexpr std::size_t kStatusLimit = 280;

/// Submits `fact` in the agent's name, then answers with one word.
void say(const CallPtr& call, EventBody fact, std::string_view word) {
  call->submit(std::move(fact), [call, word](const Receipt& receipt) {
    json::object said{{word, true}};
    if (!receipt.note.empty()) said.emplace("note", receipt.note);
    call->succeed(std::move(said));
  });
}

/// Hands an agent's work in. A commit that is not named is looked up in the run's clone, so that nothing else than what
/// is there now can be landed for it later.
void hand_in(const CallPtr& call, const Town& town, const Agent& agent, std::string_view word) {
  const Arguments& given = call->arguments();
  events::AgentDone fact{agent.agent_id,       call->run(),           given.text("branch"),
                         given.text("pr_url"), given.text("summary"), given.text("commit")};
  if (!fact.commit.empty() && !git::is_object_id(fact.commit))
    return call->fail(Error::Code::invalid, "the commit is no object id",
                      "name it by its 40 or 64 digits: git rev-parse HEAD");
  const Run* run = town.run(fact.run_id ? fact.run_id : agent.run_id);
  if (!run || run->agent_id != agent.agent_id || !fact.commit.empty()) return say(call, std::move(fact), word);
  fact.run_id = run->run_id;
  CollectSpec work = work_of(town, *run);
  if (!fact.branch.empty()) work.branch = fact.branch;
  call->background([call, word, fact = std::move(fact), work = std::move(work)]() mutable {
    const auto commit = call->services().forge.collect(work);
    if (!commit) return call->fail(commit.error());
    fact.commit = *commit;
    say(call, std::move(fact), word);
  });
}

void done(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) { hand_in(call, view.town, agent, "done"); });
}

/// The reference's other way of saying done: who, which bead, which branch.
void submit_review(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Arguments& given = call->arguments();
    const Agent* agent = find_agent(view.town, given.text("agent_id"));
    if (!agent) return call->fail(no_agent(given.text("agent_id")));
    if (call->caller().has_run() && call->caller().agent != agent->agent_id)
      return call->fail(Error::Code::forbidden, "work can be handed in in one's own name only");
    if (agent->current_hook_bead_id != BeadId(given.text("bead_id")))
      return call->fail(Error::Code::conflict, agent->name + " does not work on " + given.text("bead_id"));
    hand_in(call, view.town, *agent, "submitted");
  });
}

void run_completed(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    events::AgentCompleted fact;
    fact.agent_id = agent.agent_id;
    fact.run_id = call->run();
    fact.status = call->arguments().text("status");
    fact.reason = call->arguments().text("reason");
    say(call, std::move(fact), "completed");
  });
}

/// The fact has no room for the agent's own words: they become its status line first.
void give_up(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    std::string reason = call->arguments().text("reason");
    std::replace_if(
        reason.begin(), reason.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    reason = at_most(reason, kStatusLimit);
    const AgentId id = agent.agent_id;
    call->submit(events::AgentSaid{id, "gave up: " + reason}, [call, id](const Receipt&) {
      events::AgentCompleted fact;
      fact.agent_id = id;
      fact.run_id = call->run();
      fact.status = "failed";
      fact.reason = "gave_up";
      say(call, std::move(fact), "completed");
    });
  });
}

void waiting(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    MaybeInstant fired_at;
    if (call->arguments().has("firedAt")) fired_at = Instant{call->arguments().integer("firedAt")};
    say(call, events::AgentWaiting{agent.agent_id, fired_at}, "acknowledged");
  });
}

MaybeInstant instant_of(const json::value& value) {
  if (const json::string* text = value.if_string()) return instant_from_text(*text);
  if (const std::int64_t* ms = value.if_int64()) return Instant{*ms};
  return std::nullopt;
}

/// Not a fact but a sign of life: nothing waits for it.
void heartbeat(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const Arguments& given = call->arguments();
    SignOfLife sign;
    sign.agent_id = agent.agent_id;
    sign.run_id = call->run().empty() ? agent.run_id : call->run();
    sign.at = view.now;
    sign.last_event_type = given.text("lastEventType");
    sign.last_event_at = instant_of(given.value("lastEventAt"));
    // Nobody has seen the future: a clock that is ahead must not keep a silent agent alive.
    if (sign.last_event_at && *sign.last_event_at > view.now) sign.last_event_at = view.now;
    if (given.has("activeTools")) sign.active_tools = given.texts("activeTools");
    call->services().engine.sign_of_life(call->town(), std::move(sign));
    json::object shape;
    shape.emplace("heartbeat", true);
    shape.emplace("draining", draining(view.town, view.now));
    call->succeed(std::move(shape));
  });
}

void checkpoint(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    const json::value& data = call->arguments().value("data");
    const std::string text = data.is_string() ? std::string(data.get_string()) : canonical_text(data);
    say(call, events::AgentCheckpoint{agent.agent_id, text}, "written");
  });
}

void say_status(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    say(call, events::AgentSaid{agent.agent_id, call->arguments().text("message")}, "ok");
  });
}

void request_changes(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    if (agent.role != AgentRole::refinery)
      return call->fail(Error::Code::conflict, agent.name + " is no refinery, and only a refinery sends work back",
                        "hand the work in with town done, or give up with town fail");
    const Arguments& given = call->arguments();
    const BeadId request(given.text("bead_id", agent.current_hook_bead_id.text));
    if (request != agent.current_hook_bead_id)
      return call->fail(Error::Code::conflict, agent.name + " does not review " + request.text);
    call->submit(
        events::RequestChanges{agent.agent_id, call->run(), request, given.text("feedback"), given.texts("files")},
        [call](const Receipt& receipt) {
          json::object shape;
          shape.emplace("rework_bead_id",
                        receipt.created.empty() ? json::value(nullptr) : json::value(receipt.created.front()));
          if (!receipt.note.empty()) shape.emplace("note", receipt.note);
          call->succeed(std::move(shape));
        });
  });
}

void trial_result(const CallPtr& call) {
  with_agent(call, [call](const Engine::View&, const Agent& agent) {
    const Arguments& given = call->arguments();
    events::TrialResult result;
    result.agent_id = agent.agent_id;
    result.run_id = call->run();
    result.base = given.text("base");
    result.requests = id_list<BeadId>(given.texts("requests"));
    result.commit = given.text("commit");
    result.gate = given.text("gate");
    result.outcome = *enum_from_name<events::TrialOutcome>(given.text("outcome"));
    result.output = given.text("output");
    result.duration_ms = given.integer("duration_ms");
    result.flaked = given.texts("flaked");
    result.base_checked = given.truth("base_checked");
    JsonReader reader;
    if (given.has("conflicts") && !reader.read(given.value("conflicts"), result.conflicts)) {
      reader.at("conflicts");
      return call->respond(failure(400, "the conflicts are not right: " + reader.issue.message,
                                   "write [{\"bead_id\": \"x-1\", \"output\": \"…\", \"its_own\": true}]",
                                   {reader.issue}));
    }
    say(call, std::move(result), "recorded");
  });
}

// ---- messages ------------------------------------------------------------------------------------------------------

/// Undelivered mail, oldest first, and the last of it.
struct Unread {
  json::array mail;
  MessageId last;
};

Unread unread(const Town& town, const AgentId& agent, LateTexts& texts) {
  Unread found;
  for (const MessageId& id : town.undelivered(agent)) {
    const Mail* mail = town.mail(id);
    if (!mail) continue;
    found.mail.push_back(mail_shape(*mail, texts));
    found.last = id;
  }
  return found;
}

/// Answers with `data`; the mail in it counts as read from then on.
void answer_read(const CallPtr& call, const AgentId& agent, const MessageId& last, json::value data, LateTexts texts) {
  if (last.empty()) return call->succeed(std::move(data), std::move(texts));
  call->submit(events::MailRead{agent, last},
               [call, data = std::move(data), texts = std::move(texts)](const Receipt&) mutable {
                 call->succeed(std::move(data), std::move(texts));
               });
}

void read_mail(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    LateTexts texts;
    Unread found = unread(view.town, agent.agent_id, texts);
    answer_read(call, agent.agent_id, found.last, std::move(found.mail), std::move(texts));
  });
}

void pending_nudges(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    json::array list;
    for (const MessageId& id : view.town.undelivered(agent.agent_id)) {
      const Nudge* nudge = view.town.nudge(id);
      if (nudge && (!nudge->expires_at || *nudge->expires_at > view.now)) list.push_back(nudge_shape(*nudge));
    }
    call->succeed(std::move(list));
  });
}

void nudge_delivered(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const MessageId id(call->arguments().text("nudge_id"));
    const Nudge* nudge = view.town.nudge(id);
    if (!nudge || nudge->agent_id != agent.agent_id)
      return call->fail(Error::Code::not_found, "there is no nudge " + id.text + " for " + agent.name);
    say(call, events::NudgeDelivered{id, true}, "marked");
  });
}

// ---- prime ---------------------------------------------------------------------------------------------------------

json::object rework_context(const Town& town, const Bead& bead, const Rework& rework, LateTexts& texts) {
  json::object context;
  texts.want(context, "feedback", bead.body);
  context.emplace("branch", rework.branch);
  context.emplace("target_branch", rework.target_branch);
  context.emplace("files", to_json(rework.files));
  const Bead* original = town.bead(rework.source);
  context.emplace("original_bead_title", original ? json::value(original->title) : json::value(nullptr));
  context.emplace("mr_bead_id", rework.request.text);
  return context;
}

json::object request_context(const Rework& rework, bool conflict) {
  json::object context;
  context.emplace("pr_url", rework.pr_url);
  context.emplace("branch", rework.branch);
  context.emplace("target_branch", conflict && !rework.conflict_target_branch.empty() ? rework.conflict_target_branch
                                                                                      : rework.target_branch);
  context.emplace("force_push_allowed", false);  // agents never push; townd does
  if (conflict) context.emplace("has_feedback", rework.has_feedback);
  return context;
}

void add_rework(json::object& shape, const Town& town, const Bead& hook, LateTexts& texts) {
  const auto* rework = hook.detail ? std::get_if<Rework>(hook.detail.get()) : nullptr;
  if (!rework) return;
  if (has_label(hook, "gt:rework")) shape.emplace("rework_context", rework_context(town, hook, *rework, texts));
  if (has_label(hook, "gt:pr-fixup")) shape.emplace("pr_fixup_context", request_context(*rework, false));
  if (has_label(hook, "gt:pr-conflict") || (has_label(hook, "gt:pr-feedback") && rework->has_conflicts))
    shape.emplace("pr_conflict_context", request_context(*rework, true));
}

json::array open_beads(const Town& town, const RigId& rig) {
  json::array list;
  for (const BeadId& id : town.bead_ids()) {
    const Bead* bead = town.bead(id);
    if (bead->rig_id != rig || bead->type != BeadType::issue || bead->status != BeadStatus::open) continue;
    list.push_back(bead_shape(town, *bead));
    if (list.size() == kOpenBeadsShown) break;
  }
  return list;
}

void prime(const CallPtr& call) {
  with_agent(call, [call](const Engine::View& view, const Agent& agent) {
    const Town& town = view.town;
    LateTexts texts;
    json::object shape;
    shape.emplace("agent", agent_detail(town, agent, texts));
    const Bead* hook = town.bead(agent.current_hook_bead_id);
    shape.emplace("hooked_bead", hook ? json::value(bead_detail(town, *hook, texts)) : json::value(nullptr));
    Unread found = unread(town, agent.agent_id, texts);
    shape.emplace("undelivered_mail", std::move(found.mail));
    shape.emplace("open_beads", open_beads(town, agent.rig_id));
    if (hook) add_rework(shape, town, *hook, texts);
    const RunId run = call->run().empty() ? agent.run_id : call->run();
    const auto assignment = describe(town, run);
    shape.emplace("assignment", assignment ? json::value(assignment_shape(*assignment, texts)) : json::value(nullptr));
    answer_read(call, agent.agent_id, found.last, std::move(shape), std::move(texts));
  });
}

constexpr std::array<NamedHandler, 14> kHandlers{{
    {"review.submit", submit_review},
    {"agent.prime", prime},
    {"agent.done", done},
    {"agent.completed", run_completed},
    {"agent.fail", give_up},
    {"agent.waiting", waiting},
    {"agent.heartbeat", heartbeat},
    {"agent.checkpoint", checkpoint},
    {"agent.say", say_status},
    {"agent.request_changes", request_changes},
    {"agent.trial_result", trial_result},
    {"agent.mail", read_mail},
    {"agent.nudges", pending_nudges},
    {"agent.nudge_delivered", nudge_delivered},
}};

}  // namespace

std::span<const NamedHandler> callback_handlers() { return kHandlers; }

}  // namespace townd
