#include "server/operation_parts.hpp"

namespace townd::operation_parts {

void add_towns(std::vector<Operation>& all) {
  all.push_back({"town.create",
                 "POST",
                 {"/api/towns"},
                 kPeople,
                 "A new town.",
                 {required(name("name", "how people call it")),
                  name("prefix", "2 to 6 letters a–z that its ids begin with; made from the name when left out")},
                 "Town",
                 201});
  all.push_back({"town.list", "GET", {"/api/towns"}, kReaders, "All towns of this node.", page(), "Towns"});
  all.push_back({"town.get", "GET", {"/api/towns/:town"}, kEverybody, "One town.", {}, "Town"});
  all.push_back({"town.status",
                 "GET",
                 {"/api/towns/:town/status", "/debug/towns/:town/status"},
                 kReaders,
                 "How the town is doing: problems, what moves, the last tick.",
                 {},
                 "Status"});
  all.push_back({"town.pause",
                 "POST",
                 {"/api/towns/:town/pause"},
                 kPeople,
                 "Nothing new is started until resume.",
                 {line("reason", kTitleLimit, "why, for whoever looks")},
                 "Town"});
  all.push_back({"town.resume", "POST", {"/api/towns/:town/resume"}, kPeople, "Ends a pause.", {}, "Town"});
  all.push_back({"town.drain",
                 "POST",
                 {"/api/towns/:town/drain"},
                 kPeople,
                 "Nothing new is started and silence counts for nothing, for seven minutes.",
                 {flag("end", "true: ends the drain now")},
                 "Town"});
  all.push_back({"config.get", "GET", {"/api/towns/:town/config"}, kReaders, "The town's settings.", {}, "Config"});
  all.push_back(
      {"config.keys",
       "GET",
       {"/api/towns/:town/config/keys"},
       kPeople,
       "Every key of townd.toml with the value that counts for the town, or for one of its rigs, and who said it.",
       {line("rig", kNameLimit, "with what this rig says over the town")},
       "ConfigKeys"});
  all.push_back({"config.patch",
                 "PATCH",
                 {"/api/towns/:town/config"},
                 kPeople,
                 "Changes the settings that are named and leaves the others.",
                 {},
                 "Config"});
  all.back().extra_fields = true;
}

void add_rigs(std::vector<Operation>& all) {
  const Fields changeable = {name("name", "how people call it"), line("git_url", 2000, "path or URL of the repository"),
                             branch("default_branch", "the branch that work starts from"), rig_config()};
  Fields creating = changeable;
  creating[0].required = creating[1].required = true;
  all.push_back({"rig.add",
                 "POST",
                 {"/api/towns/:town/rigs"},
                 kPeople,
                 "Puts a repository under the town's care.",
                 creating,
                 "Rig",
                 201});
  all.push_back({"rig.list",
                 "GET",
                 {"/api/towns/:town/rigs", "/api/mayor/:town/tools/rigs"},
                 kReaders,
                 "The town's repositories.",
                 page(),
                 "Rigs"});
  all.push_back({"rig.get", "GET", {"/api/towns/:town/rigs/:rig"}, kEverybody, "One rig.", {}, "Rig"});
  all.back().scope = Scope::rig;
  all.push_back({"rig.config",
                 "PATCH",
                 {"/api/towns/:town/rigs/:rig"},
                 kPeople,
                 "Changes what is named and leaves the rest; a broken rig is tried again.",
                 changeable,
                 "Rig"});
  all.push_back({"rig.trust",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/trust"},
                 kPeople,
                 "Accepts what the repository's own .town folder now says.",
                 {},
                 "Rig"});
}

void add_queue(std::vector<Operation>& all) {
  all.push_back({"queue.get",
                 "GET",
                 {"/api/towns/:town/queue"},
                 kReaders,
                 "The merge queues: what is tried and landed now, what waits, what is remembered of gates.",
                 {line("rig", kNameLimit, "only this one's")},
                 "Queues"});
  all.push_back({"queue.resume",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/queue/resume"},
                 kPeople,
                 "Has a paused merge queue go on now.",
                 {},
                 "Resumed"});
}

void add_beads(std::vector<Operation>& all) {
  const Fields filters = {choice("status", kBeadStatuses, "only these"), choice("type", kBeadTypes, "only these"),
                          id("assignee", "only this agent's"), number("offset", 1'000'000, "rows to leave out first")};
  all.push_back({"bead.create",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/beads"},
                 kTools,
                 "A new bead, a piece of work or a record.",
                 Fields{choice("type", kBeadTypes, "issue when left out")} + work(),
                 "Bead",
                 201});
  all.back().direct = true;
  all.push_back({"bead.sling",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/sling"},
                 kTools,
                 "Puts work on the town; the reconciler sees to the rest.",
                 work(),
                 "Slung",
                 201});
  all.back().direct = true;
  all.push_back({"branch.adopt",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/adopt"},
                 kTools,
                 "Work that is there already, a branch of the rig's source or a pull request: it lands, or comes back.",
                 {line("branch", kTitleLimit, "the branch, as it is now"),
                  line("pr_url", kTitleLimit, "instead of a branch: the page of a pull request of the rig's"),
                  line("title", kTitleLimit, "what it does; the branch or the pull request's own when left out"),
                  text("body", kBodyLimit, "what whoever has to mend it must know"), priority()},
                 "Bead",
                 201});
  all.push_back({"mayor.sling",
                 "POST",
                 {"/api/mayor/:town/tools/sling"},
                 kTools,
                 "As sling, naming the rig in the body.",
                 Fields{required(id("rig_id", "the rig to work on"))} + work(),
                 "Slung",
                 201});
  all.push_back(
      {"bead.list",
       "GET",
       {"/api/towns/:town/beads", "/api/towns/:town/rigs/:rig/beads", "/api/mayor/:town/tools/rigs/:rig/beads"},
       kEverybody,
       "Beads in id order, without their bodies.",
       filters + page(),
       "Beads"});
  all.back().scope = Scope::rig;
  all.push_back(
      {"bead.get",
       "GET",
       {"/api/towns/:town/beads/:bead", "/api/towns/:town/rigs/:rig/beads/:bead", "/debug/towns/:town/beads/:bead"},
       kEverybody,
       "One bead with its review, its dependencies and its convoys.",
       {},
       "BeadDetail"});
  all.back().scope = Scope::rig;
  all.back().direct = true;
  all.push_back(
      {"bead.update",
       "PATCH",
       {"/api/towns/:town/beads/:bead", "/api/towns/:town/rigs/:rig/beads/:bead",
        "/api/mayor/:town/tools/rigs/:rig/beads/:bead"},
       kTools,
       "Changes what is named; a status is changed by itself.",
       {line("title", kTitleLimit, "what is to be done"), text("body", kBodyLimit, "the whole new body"), priority(),
        labels(), metadata(), choice("status", kBeadStatuses, "the new status; nothing else beside it"), actor()},
       "Bead"});
  all.push_back({"bead.delete",
                 "DELETE",
                 {"/api/towns/:town/beads/:bead", "/api/towns/:town/rigs/:rig/beads/:bead",
                  "/api/mayor/:town/tools/rigs/:rig/beads/:bead"},
                 kTools,
                 "Takes a bead with its children and requests out of the town; one that is worked on is refused.",
                 {},
                 "Deleted"});
  all.push_back({"bead.bulk_delete",
                 "POST",
                 {"/api/towns/:town/beads/bulk-delete", "/api/mayor/:town/tools/beads/bulk-delete"},
                 kTools,
                 "Takes many beads out of the town; says which were refused, and why.",
                 {required(list("bead_ids", kBulkLimit, "the beads"))},
                 "DeletedSome"});
  all.push_back(
      {"bead.delete_by_status",
       "POST",
       {"/api/towns/:town/beads/delete-by-status", "/api/mayor/:town/tools/beads/delete-by-status"},
       kTools,
       "Takes all beads of a status out of the town; says which were refused, and why.",
       {required(choice("status", kBeadStatuses, "of which status")), choice("type", kBeadTypes, "only of this type")},
       "DeletedSome"});
  all.push_back({"bead.status",
                 "PATCH",
                 {"/api/towns/:town/beads/:bead/status", "/api/towns/:town/rigs/:rig/beads/:bead/status"},
                 kTools,
                 "Writes a status by hand; a terminal one cancels the bead.",
                 {required(choice("status", kBeadStatuses, "the new status")), id("agent_id", "who asks"), actor()},
                 "Bead"});
  all.push_back({"bead.close",
                 "POST",
                 {"/api/towns/:town/beads/:bead/close", "/api/towns/:town/rigs/:rig/beads/:bead/close"},
                 kTools | kAgent,
                 "Closes a bead; an agent closes only its own rework and triage beads.",
                 {id("agent_id", "who asks"), actor()},
                 "Bead"});
  all.back().scope = Scope::rig;
  all.push_back({"bead.cancel",
                 "POST",
                 {"/api/towns/:town/beads/:bead/cancel"},
                 kTools,
                 "Ends a bead with its requests; its agent is stopped.",
                 {choice("status", {"closed", "failed"}, "what it ends as; failed when left out"), actor()},
                 "Bead"});
  all.push_back({"bead.reopen",
                 "POST",
                 {"/api/towns/:town/beads/:bead/reopen"},
                 kTools,
                 "Opens a failed bead again with a clean slate.",
                 {actor()},
                 "Bead"});
  all.push_back({"bead.retry",
                 "POST",
                 {"/api/towns/:town/beads/:bead/retry"},
                 kTools,
                 "Tries again now: ends back-off, spent attempts and holds that wait for a person.",
                 {actor()},
                 "Bead"});
  const Fields edge = {required(id("depends_on", "the bead that comes first")),
                       choice("kind", {"blocks", "tracks"}, "blocks when left out")};
  all.push_back({"dependency.add",
                 "POST",
                 {"/api/towns/:town/beads/:bead/dependencies"},
                 kTools,
                 "This bead waits for another one; a cycle is refused and named.",
                 edge,
                 "Bead",
                 201});
  all.push_back({"dependency.remove",
                 "POST",
                 {"/api/towns/:town/beads/:bead/dependencies/remove"},
                 kTools,
                 "This bead waits for that one no longer.",
                 edge,
                 "Bead"});
  all.push_back({"bead.history",
                 "GET",
                 {"/api/towns/:town/beads/:bead/history"},
                 kReaders,
                 "What happened to a bead.",
                 {number("limit", kPageLimit, "newest lines to give")},
                 "History"});
  all.push_back({"bead.diff",
                 "GET",
                 {"/api/towns/:town/beads/:bead/diff"},
                 kReaders,
                 "What the bead's branch changes against its target.",
                 {},
                 "Diff"});
  all.push_back({"review.list",
                 "GET",
                 {"/api/towns/:town/reviews", "/api/towns/:town/rigs/:rig/reviews"},
                 kReaders,
                 "Merge requests with what is known about each; live ones unless told otherwise.",
                 Fields{flag("all", "ended ones too")} + page(),
                 "Reviews"});
  all.push_back({"review.submit",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/review-queue"},
                 kTools | kAgent,
                 "Hands an agent's work in, as its done does.",
                 {required(id("agent_id", "whose work")), required(id("bead_id", "the bead on its hook")),
                  required(branch("branch", "where the work is")), line("pr_url", 2000, "its pull request"),
                  text("summary", kMailLimit, "what was done")},
                 "Submitted",
                 201});
  all.back().scope = Scope::rig;
  all.push_back({"review.complete",
                 "POST",
                 {"/api/towns/:town/rigs/:rig/review-queue/:bead/complete"},
                 kTools,
                 "A person's or program's word on how a review ended.",
                 {required(choice("status", {"merged", "failed", "conflict"}, "how it ended")),
                  text("message", kMailLimit, "why"), line("commit_sha", 64, "the merged commit"), actor()},
                 "Bead"});
}

void add_convoys(std::vector<Operation>& all) {
  const auto both = [](const std::string& rest) {
    return Paths{"/api/towns/:town/convoys" + rest, "/api/mayor/:town/tools/convoys" + rest};
  };
  Field existing{"beads", Kind::objects, kTasksLimit, false, "beads that exist already"};
  existing.items = {required(id("bead_id", "the bead")), id("rig_id", "its rig")};
  all.push_back({"convoy.create",
                 "POST",
                 {"/api/towns/:town/convoys"},
                 kTools,
                 "Work that belongs together, with its order: new pieces, or beads that exist.",
                 Fields{required(line("title", kTitleLimit, "what the whole is for")), existing, tasks("tasks", false),
                        id("rig_id", "the rig of tasks that name none")} +
                     convoy_settings(),
                 "ConvoyMade",
                 201});
  all.push_back({"mayor.sling_batch",
                 "POST",
                 {"/api/mayor/:town/tools/sling-batch"},
                 kTools,
                 "A convoy of new work in one rig.",
                 Fields{required(id("rig_id", "the rig to work on")),
                        required(line("convoy_title", kTitleLimit, "what the whole is for")), tasks("tasks", true),
                        flag("parallel", "the tasks may really run side by side"), metadata()} +
                     convoy_settings(),
                 "ConvoyMade",
                 201});
  all.push_back({"convoy.list", "GET", both(""), kReaders, "Convoys in id order.",
                 Fields{flag("all", "ended ones too")} + page(), "Convoys"});
  all.push_back({"convoy.get",
                 "GET",
                 both("/:convoy"),
                 kReaders,
                 "One convoy with its beads and their order.",
                 {},
                 "ConvoyDetail"});
  all.push_back({"convoy.update",
                 "PATCH",
                 both("/:convoy"),
                 kTools,
                 "Changes how a convoy lands, or on which branch, as long as none of its work is handed in.",
                 {merge_mode(), branch("feature_branch", "the branch that its work is gathered on"), actor()},
                 "ConvoyDetail"});
  all.push_back(
      {"convoy.start", "POST", both("/:convoy/start"), kTools, "Starts a staged convoy.", {}, "ConvoyDetail"});
  all.push_back({"convoy.close",
                 "POST",
                 both("/:convoy/close"),
                 kTools,
                 "Cancels what still lives in it, then closes it.",
                 {actor()},
                 "ConvoyDetail"});
  all.push_back({"convoy.add_bead",
                 "POST",
                 both("/:convoy/add-bead"),
                 kTools,
                 "Takes a bead into the convoy.",
                 {required(id("bead_id", "the bead")), list("depends_on", 100, "beads that come before it")},
                 "ConvoyCount"});
  all.push_back({"convoy.remove_bead",
                 "POST",
                 both("/:convoy/remove-bead"),
                 kTools,
                 "Takes a bead out of the convoy.",
                 {required(id("bead_id", "the bead"))},
                 "ConvoyCount"});
}

}  // namespace townd::operation_parts
