#include "server/operation_parts.hpp"

namespace townd::operation_parts {

void add_agents(std::vector<Operation>& all) {
  all.push_back(
      {"agent.list",
       "GET",
       {"/api/towns/:town/agents", "/api/towns/:town/rigs/:rig/agents", "/api/mayor/:town/tools/rigs/:rig/agents"},
       kEverybody,
       "Agents in id order.",
       Fields{choice("role", {"polecat", "refinery", "mayor"}, "only these"),
              choice("status", {"idle", "working", "waiting", "stalled", "dead"}, "only these")} +
           page(),
       "Agents"});
  all.back().scope = Scope::rig;
  all.push_back({"agent.get",
                 "GET",
                 {"/api/towns/:town/agents/:agent", "/api/towns/:town/rigs/:rig/agents/:agent"},
                 kEverybody,
                 "One agent with its run.",
                 {},
                 "AgentDetail"});
  all.back().scope = Scope::rig;
  all.push_back({"agent.register",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/agents"},
                 kTools,
                 "Registers an agent by hand; the town registers those that it needs itself.",
                 {required(choice("role", {"polecat", "refinery", "mayor"}, "what it does")),
                  name("name", "how people call it; the next free name when left out"),
                  line("identity", kNameLimit, "who it is to other programs")},
                 "Agent",
                 201});
  all.push_back({"agent.get_or_create",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/agents/get-or-create"},
                 kTools,
                 "An agent of this role that is free, or a new one.",
                 {required(choice("role", {"polecat", "refinery", "mayor"}, "what it does"))},
                 "Agent"});
  all.push_back({"agent.delete",
                 "DELETE",
                 {"/api/towns/:town/agents/:agent", "/api/towns/:town/rigs/:rig/agents/:agent"},
                 kTools,
                 "Takes an agent that does nothing out of the town.",
                 {},
                 "Deleted"});
  all.push_back({"agent.hook",
                 "POST",
                 {"/api/towns/:town/agents/:agent/hook", "/api/towns/:town/rigs/:rig/agents/:agent/hook"},
                 kTools,
                 "Gives the agent this bead to work on; it is started with it.",
                 {required(id("bead_id", "the bead"))},
                 "Hooked"});
  all.push_back({"agent.unhook",
                 "DELETE",
                 {"/api/towns/:town/agents/:agent/hook", "/api/towns/:town/rigs/:rig/agents/:agent/hook"},
                 kTools,
                 "Takes the agent's bead away; an agent at work is reset instead.",
                 {},
                 "Unhooked"});
  all.push_back({"bead.reassign",
                 "POST",
                 {"/api/towns/:town/beads/:bead/reassign", "/api/mayor/:town/tools/rigs/:rig/beads/:bead/reassign"},
                 kTools,
                 "Gives a bead to another agent of its rig.",
                 {required(id("agent_id", "the agent"))},
                 "Bead"});
  all.push_back({"agent.reset",
                 "POST",
                 {"/api/towns/:town/agents/:agent/reset", "/api/mayor/:town/tools/rigs/:rig/agents/:agent/reset"},
                 kTools,
                 "Stops the agent's run and takes its work back.",
                 {actor()},
                 "AgentReset"});
  all.push_back(
      {"agent.log",
       "GET",
       {"/api/towns/:town/agents/:agent/log"},
       kReaders,
       "The output of an agent's run; with follow=1 a stream of server-sent events.",
       {flag("follow", "go on as it is written"), id("run_id", "an earlier run; the current or last one when left out"),
        number("offset", 1LL << 40, "byte to begin at"), number("limit", 1 << 20, "bytes to give")},
       "Log"});
}

/// What an agent's program says of itself, and work in steps.
void add_reports(std::vector<Operation>& all) {
  all.push_back({"agent.report",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/agent-events", "/api/towns/:town/agent-events"},
                 kMayor | kAgent,
                 "What the agent's own program did, for whoever looks later; the oldest of many go.",
                 {required(id("agent_id", "the agent itself")),
                  required(line("event_type", kNameLimit, "what kind")),
                  {"data", Kind::anything, kMailLimit, false, "any JSON"}},
                 "Appended",
                 201});
  all.back().scope = Scope::rig;
  all.push_back({"agent.events",
                 "GET",
                 {"/api/towns/:town/agents/:agent/events", "/api/towns/:town/rigs/:rig/agents/:agent/events"},
                 kReaders,
                 "What the agent's program said that it did, oldest first.",
                 {number("after_id", 1LL << 52, "only those behind this one"),
                  number("limit", kPageLimit, "how many; 100 when left out")},
                 "AgentEvents"});
  Field steps{"steps", Kind::objects, kStepsLimit, true, "the steps, in order"};
  steps.items = {required(line("title", kTitleLimit, "what is to be done in this step, in one line")),
                 text("instructions", kBodyLimit, "everything that whoever does it must know")};
  Field formula{"formula", Kind::object, kRequestLimit, true, "the steps"};
  formula.items = {steps};
  all.push_back({"molecule.create",
                 "POST",
                 {"/api/towns/:town/molecules", "/api/towns/:town/rigs/:rig/molecules"},
                 kTools | kAgent,
                 "Divides a bead into steps that its agent does one after another.",
                 {required(id("bead_id", "the bead; a run's own, when an agent asks")), formula, actor()},
                 "Molecule",
                 201});
  all.back().scope = Scope::rig;
}

/// What agents call from their clones (reference §a.2). The mayor has no rig, hence the second path.
void add_callbacks(std::vector<Operation>& all) {
  const auto self = [&all](std::string operation, std::string method, const std::string& last, std::string about,
                           Fields fields, std::string answers, int status = 200) {
    all.push_back({std::move(operation),
                   std::move(method),
                   {"/api/towns/:town/agents/:agent/" + last, "/api/towns/:town/rigs/:rig/agents/:agent/" + last},
                   kPeople | kMayor | kAgent,
                   std::move(about),
                   std::move(fields),
                   std::move(answers),
                   status});
    all.back().scope = Scope::self;
  };
  self("agent.prime", "GET", "prime", "Everything the agent needs to know; its mail counts as read.", {}, "Prime");
  self("agent.done", "POST", "done", "The work on the hook is ready: hands it to review.",
       {branch("branch", "where the work is"), line("pr_url", 2000, "its pull request"),
        text("summary", kMailLimit, "what was done"), line("commit", 64, "the tip; HEAD when left out"), run_id()},
       "Done");
  all.back().after_end = true;
  self("agent.completed", "POST", "completed", "The agent's program has ended.",
       {required(choice("status", {"completed", "failed"}, "how")), line("reason", kTitleLimit, "why"), run_id(),
        id("agentId", "as the reference's runtime says it")},
       "Completed");
  all.back().after_end = true;
  self("agent.fail", "POST", "fail", "The agent gives up on its bead.",
       {required(text("reason", kMailLimit, "why it cannot be done")), run_id()}, "Completed");
  self("agent.waiting", "POST", "waiting", "The mayor waits for somebody to speak to it.",
       {number("firedAt", 1LL << 52, "epoch milliseconds; an older word than newer work is dropped"), run_id()},
       "Acknowledged");
  self("agent.heartbeat", "POST", "heartbeat", "A sign of life.",
       {line("lastEventType", kNameLimit, "what it last did"),
        {"lastEventAt", Kind::anything, 64, false, "ISO 8601 or epoch milliseconds"},
        list("activeTools", 50, "what it is doing now"),
        id("containerInstanceId", "not used"),
        run_id()},
       "Heartbeat");
  all.back().extra_fields = true;
  all.back().direct = true;
  self("agent.checkpoint", "POST", "checkpoint", "Notes for whoever continues this work.",
       {required(Field{"data", Kind::anything, kMetadataLimit, false, "any JSON"}), run_id()}, "Written");
  self("agent.say", "POST", "status", "One line for people about what it is doing.",
       {required(line("message", 280, "the line")), run_id()}, "Ok");
  self("agent.request_changes", "POST", "request-changes", "A refinery sends the work back.",
       {required(text("feedback", kBodyLimit, "what has to change")), list("files", 200, "where"),
        id("bead_id", "the request; the hook when left out"), run_id()},
       "Rework", 201);
  self("agent.trial_result", "POST", "trial-result", "What `town refine` found on trying the requests.",
       {required(line("base", 64, "the commit they were tried on")),
        required(list("requests", 100, "the requests, in order")), line("commit", 64, "the merged result"),
        line("gate", kTitleLimit, "the gate that failed"),
        required(choice("outcome", {"green", "red", "conflict", "error", "broken"},
                        "what came of it; broken: the gate fails on the base alone")),
        text("output", kBodyLimit, "what the gates or the merge printed"),
        number("duration_ms", 1LL << 40, "how long it took"),
        Field{"conflicts", Kind::anything, kBodyLimit, false, "requests left out: [{bead_id, output, its_own}]"},
        list("flaked", 64, "gates that failed and then passed"),
        flag("base_checked", "the gate that failed passes on the base alone"), run_id()},
       "Recorded");
  self("molecule.current", "GET", "molecule/current", "The step that is to be done now.", {}, "Step");
  self("molecule.advance", "POST", "molecule/advance", "The current step is done; the last one ends the molecule.",
       {required(text("summary", kStepSummaryLimit, "what was done")), run_id()}, "Advanced");
  self("agent.mail", "GET", "mail", "Mail not read yet; reading it here makes it read.", {}, "Mail");
  self("agent.nudges", "GET", "pending-nudges", "Nudges neither delivered nor expired.", {}, "Nudges");
  all.back().paths.push_back("/api/mayor/:town/tools/rigs/:rig/agents/:agent/pending-nudges");
  self("agent.nudge_delivered", "POST", "nudge-delivered", "The agent has seen a nudge.",
       {required(id("nudge_id", "the nudge"))}, "Marked");
}

void add_messages(std::vector<Operation>& all) {
  all.push_back({"mail.send",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/mail", "/api/towns/:town/mail", "/api/mayor/:town/tools/mail"},
                 kTools | kAgent,
                 "Mail that waits for its reader.",
                 {id("from_agent_id", "the sender; an agent is always itself"), id("rig_id", "not used"),
                  required(id("to_agent_id", "the reader; an agent may also write to `people`")),
                  required(line("subject", kTitleLimit, "what about")), required(text("body", kMailLimit, "the text"))},
                 "Sent",
                 201});
  all.back().scope = Scope::rig;
  all.push_back({"mail.inbox",
                 "GET",
                 {"/api/towns/:town/mail"},
                 kReaders,
                 "What agents wrote to people; unread mail unless told otherwise.",
                 Fields{flag("all", "what was read too"), id("from", "only from this agent")} + page(),
                 "Mail"});
  all.push_back({"mail.inbox_read",
                 "POST",
                 {"/api/towns/:town/mail/:mail/read"},
                 kPeople,
                 "Somebody has read this mail to people.",
                 {},
                 "Read"});
  all.push_back({"nudge.send",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/nudge", "/api/towns/:town/nudge"},
                 kTools | kAgent,
                 "A word to an agent at work.",
                 {required(id("target_agent_id", "the agent")), required(text("message", kMailLimit, "the word")),
                  choice("mode", {"wait-idle", "immediate", "queue"}, "when; wait-idle when left out")},
                 "Nudged",
                 201});
  all.back().scope = Scope::rig;
  all.push_back(
      {"escalation.raise",
       "POST",
       {"/api/towns/:town/rigs/:rig/escalations", "/api/towns/:town/escalations"},
       kTools | kAgent,
       "Asks a person for help.",
       {required(line("title", kTitleLimit, "what is wrong")), text("body", kBodyLimit, "everything known about it"),
        priority(), line("category", kNameLimit, "what kind of trouble"), metadata()},
       "Bead",
       201});
  all.back().scope = Scope::rig;
  all.push_back(
      {"escalation.list",
       "GET",
       {"/api/towns/:town/escalations"},
       kReaders,
       "Escalations, live ones unless told otherwise.",
       Fields{flag("acknowledged", "only those that are, or are not"), flag("all", "ended ones too")} + page(),
       "Beads"});
  all.push_back(
      {"escalation.acknowledge",
       "POST",
       {"/api/towns/:town/escalations/:bead/acknowledge", "/api/mayor/:town/tools/escalations/:bead/acknowledge"},
       kTools,
       "A person has seen it; it is not raised again.",
       {actor()},
       "Bead"});
  all.push_back({"triage.list",
                 "GET",
                 {"/api/towns/:town/triage"},
                 kReaders,
                 "Open questions about stuck agents.",
                 page(),
                 "Questions"});
  all.push_back({"triage.resolve",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/triage/resolve", "/api/towns/:town/triage/resolve"},
                 kPeople | kAgent,
                 "Decides one question about a stuck agent.",
                 {required(id("triage_request_bead_id", "the question")),
                  required(choice("action",
                                  {"RESTART", "RESTART_WITH_BACKOFF", "CLOSE_BEAD", "ESCALATE", "ESCALATE_TO_MAYOR",
                                   "NUDGE", "REASSIGN_BEAD", "DISCARD", "PROVIDE_GUIDANCE"},
                                  "what to do, in any case of letters")),
                  required(text("resolution_notes", kMailLimit, "why"))},
                 "Bead"});
  all.back().scope = Scope::rig;
}

void add_mayor(std::vector<Operation>& all) {
  const auto mayor = [&all](std::string operation, std::string method, const std::string& last, std::uint8_t roles,
                            std::string about, Fields fields, std::string answers) {
    all.push_back({std::move(operation),
                   std::move(method),
                   {"/api/towns/:town/mayor" + last},
                   roles,
                   std::move(about),
                   std::move(fields),
                   std::move(answers)});
  };
  mayor("mayor.ensure", "POST", "/ensure", kPeople, "Sees to it that the town has a mayor.", {}, "MayorSession");
  mayor("mayor.message", "POST", "/message", kPeople,
        "Says something to the mayor; it is started when it does not run.",
        {required(text("message", kMailLimit, "the words")), line("model", kNameLimit, "not used: its preset says it"),
         text("uiContext", 10'000, "what the speaker looks at")},
        "MayorSession");
  mayor("mayor.status", "GET", "/status", kReaders, "What the mayor does.", {}, "MayorStatus");
  mayor("mayor.configure", "POST", "/configure", kPeople, "Not needed; answers as the reference does.", {},
        "Configured");
  all.back().extra_fields = true;
  mayor("mayor.completed", "POST", "/completed", kPeople | kMayor, "The mayor's program has ended.",
        {required(choice("status", {"completed", "failed"}, "how")), line("reason", kTitleLimit, "why"),
         id("agentId", "the mayor, when left out"), run_id()},
        "Completed");
  mayor("mayor.destroy", "POST", "/destroy", kPeople, "Ends what the mayor does now; the conversation stays.", {},
        "Destroyed");
  mayor("mayor.id", "GET", "-id", kReaders, "The mayor's id, or null.", {}, "MayorId");
}

}  // namespace townd::operation_parts
