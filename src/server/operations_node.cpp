#include "server/operation_parts.hpp"

namespace townd::operation_parts {

void add_node(std::vector<Operation>& all) {
  all.push_back({"node.health", "GET", {"/healthz"}, 0, "Is the daemon alive.", {}, "Health"});
  all.push_back({"hook.receive",
                 "POST",
                 {"/hooks/:rig/:forge"},
                 0,
                 "A webhook of a forge that proves to know its secret; what it is about is asked about at once.",
                 {},
                 "Noticed"});
  all.back().extra_fields = true;
  all.push_back(
      {"node.ready", "GET", {"/readyz"}, kEverybody, "Can it take work: store and engine answer.", {}, "Health"});
  all.push_back({"node.openapi", "GET", {"/openapi.json"}, kEverybody, "This list, as OpenAPI 3.1.", {}, "OpenApi"});
  all.back().raw = true;
  all.push_back({"node.metrics", "GET", {"/metrics"}, kReaders, "Metrics in Prometheus' text format.", {}, "Metrics"});
  all.back().raw = true;
  all.push_back(
      {"token.list", "GET", {"/api/tokens"}, kAdmin, "Tokens of people, without the tokens themselves.", {}, "Tokens"});
  all.push_back({"token.create",
                 "POST",
                 {"/api/tokens"},
                 kAdmin,
                 "A new token; it is shown this once.",
                 {required(choice("role", {"admin", "operator", "viewer"}, "what it may do")),
                  name("id", "a short public name; made up when left out")},
                 "NewToken",
                 201});
  all.push_back(
      {"token.revoke", "POST", {"/api/tokens/:token/revoke"}, kAdmin, "Ends a token at once.", {}, "Revoked"});
  all.push_back(
      {"doctor.look", "GET", {"/api/doctor"}, kPeople, "What is wrong with this node and its towns.", {}, "Doctor"});
  all.push_back({"doctor.fix",
                 "POST",
                 {"/api/doctor/fix"},
                 kPeople,
                 "The same, and puts right what can be put right without harm.",
                 {},
                 "Doctor"});
}

void add_explain(std::vector<Operation>& all) {
  all.push_back({"explain.why",
                 "GET",
                 {"/api/towns/:town/why/:id"},
                 kReaders,
                 "Why a bead, agent, rig or message is where it is, and what happens next.",
                 {},
                 "Why"});
  all.push_back({"debug.dry_run",
                 "POST",
                 {"/api/towns/:town/debug/reconcile-dry-run", "/debug/towns/:town/reconcile-dry-run"},
                 kPeople,
                 "What the next tick would do; nothing is changed.",
                 {time("at", "and what will have followed by this time if nothing else happens")},
                 "DryRun"});
  all.push_back({"debug.replay",
                 "POST",
                 {"/api/towns/:town/debug/replay-events", "/debug/towns/:town/replay-events"},
                 kPeople,
                 "Decides a stretch of the past again and compares; nothing is changed.",
                 {required(time("from", "facts that arrived at this time or later")),
                  required(time("to", "and not later than this")),
                  {"set", Kind::object, kMetadataLimit, false, "settings that were otherwise, as in the town's config"},
                  {"drop", Kind::integers, kTasksLimit, false, "numbers of facts that did not happen"},
                  list("without_rules", kTasksLimit, "rules that are not asked")},
                 "Replay"});
  all.push_back({"past.state",
                 "GET",
                 {"/api/towns/:town/state"},
                 kPeople,
                 "The whole town as it was, as town-snapshot/1.",
                 {required(time("at", "when"))},
                 "Snapshot"});
  all.back().raw = true;
  all.push_back({"past.show",
                 "GET",
                 {"/api/towns/:town/state/:id"},
                 kReaders,
                 "A bead, an agent or a rig as it was.",
                 {required(time("at", "when"))},
                 "Shown"});
  all.push_back({"past.why",
                 "GET",
                 {"/api/towns/:town/state/:id/why"},
                 kReaders,
                 "Why something was where it was, and what was to happen next.",
                 {required(time("at", "when"))},
                 "Why"});
  all.push_back({"past.changes",
                 "GET",
                 {"/api/towns/:town/changes"},
                 kReaders,
                 "What is different between two moments, and what did it.",
                 {required(time("from", "the earlier moment")), required(time("to", "the later one"))},
                 "Changes"});
  all.push_back(
      {"past.bundle",
       "GET",
       {"/api/towns/:town/bundle"},
       kPeople,
       "A stretch of the past as one file (town-bundle/1, packed with zstd), to be decided again elsewhere.",
       {id("about", "the last 24 h of the life of this bead, agent or rig"), number("tick", 1LL << 52, "or one tick"),
        flag("last_violation", "or the newest tick in which something was refused or found to be broken")},
       "Bundle"});
  all.back().raw = true;
  all.push_back({"event.list",
                 "GET",
                 {"/api/towns/:town/events"},
                 kReaders,
                 "Recorded facts in their order.",
                 {time("from", "arrived at this time or later"), time("to", "arrived at this time or earlier"),
                  line("type", kNameLimit, "only this kind"), id("bead", "only about this bead"),
                  id("agent", "only about this agent"), number("after", 1LL << 52, "only behind this one"),
                  number("limit", kPageLimit, "rows of this page")},
                 "Events"});
  all.push_back({"event.retry",
                 "POST",
                 {"/api/towns/:town/events/:seq/retry"},
                 kPeople,
                 "Has an event that could not be applied tried again.",
                 {},
                 "Retried"});
  all.push_back({"tick.list",
                 "GET",
                 {"/api/towns/:town/ticks"},
                 kReaders,
                 "Recorded ticks in their order; those to which everything that is given applies.",
                 {time("from", "at this time or later"), time("to", "at this time or earlier"),
                  line("rule", kNameLimit, "only those in which this rule decided something"),
                  id("bead", "only those about this bead"), id("agent", "only those in which this agent is named"),
                  flag("violations", "only those in which something was refused or found to be broken"),
                  number("after", 1LL << 52, "only behind this one; the newest when left out"),
                  number("limit", kPageLimit, "rows of this page")},
                 "Ticks"});
  all.push_back({"tick.get",
                 "GET",
                 {"/api/towns/:town/ticks/:n"},
                 kReaders,
                 "One recorded tick, with its facts and what became of its effects.",
                 {},
                 "OpenedTick"});
  all.push_back({"town.stream",
                 "GET",
                 {"/api/towns/:town/stream"},
                 kReaders,
                 "Server-sent events: ticks, changes of beads and agents, alerts. Resumes behind Last-Event-ID.",
                 {},
                 "Stream"});
  all.push_back({"town.snapshot",
                 "GET",
                 {"/api/towns/:town/snapshot"},
                 kPeople,
                 "The whole town as town-snapshot/1.",
                 {},
                 "Snapshot"});
  all.back().raw = true;
}

}  // namespace townd::operation_parts
