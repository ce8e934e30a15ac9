#include "codec/config_meanings.hpp"

#include <array>

namespace townd {
namespace {

struct Meaning {
  std::string_view key;
  std::string_view line;
};

constexpr std::array kMeanings{
    Meaning{"server.listen", "address and port of the HTTP interface"},
    Meaning{"server.hosts", "names under which it may be addressed, beside loopback"},
    Meaning{"server.origins", "pages from elsewhere that may call it"},
    Meaning{"server.tls_cert", "certificate for https in PEM, with those it depends on; relative to townd.toml"},
    Meaning{"server.tls_key", "the certificate's key; nobody else may be able to read it"},
    Meaning{"server.behind_proxy", "a proxy in front does TLS; needed to listen beyond loopback without TLS"},
    Meaning{"store.url", "where towns are kept; empty is townd.db in the data folder"},
    Meaning{"log.level", "debug, info, warn, error or off"},
    Meaning{"metrics.towns", "towns with a label of their own in /metrics; the others share `_other`"},
    Meaning{"events.file", "lifecycle events as lines of JSON; relative to the data folder; empty is nowhere"},
    Meaning{"events.url", "the same to an HTTP collector, in batches; or `env:NAME`, `file:PATH`"},
    Meaning{"events.header", "a header of these posts, `Name: value`; or `env:NAME`, `file:PATH`"},
    Meaning{"events.rotate", "size at which that file is put aside (`events.1.jsonl`)"},
    Meaning{"events.keep", "files put aside that are kept"},
    Meaning{"upgrade.verify",
            "a new townd decides the last 24 h again: report what differs, refuse to start then, or off"},
    Meaning{"limits.max_agents", "agents that run at once on this machine; 0 decides by cores and memory"},
    Meaning{"limits.pending_events", "events of a town that may wait; more are refused"},
    Meaning{"limits.memory", "what one agent may use of memory"},
    Meaning{"limits.processes", "processes that one agent may have"},
    Meaning{"limits.wall", "how long one run of an agent may take"},
    Meaning{"limits.log", "output of one run that is kept"},
    Meaning{"town.merge_strategy", "direct: townd lands the work itself; pr: through pull requests"},
    Meaning{"town.staged_convoys_default", "new convoys wait for `town convoy start`"},
    Meaning{"town.convoy_merge_mode", "review-then-land: together at the end; review-and-merge: bead by bead"},
    Meaning{"town.code_review", "a refinery looks at every merge request"},
    Meaning{"town.auto_merge", "green pull requests are merged without a person"},
    Meaning{"town.auto_resolve_pr_feedback", "comments and red checks on a pull request become work"},
    Meaning{"town.auto_resolve_merge_conflicts", "merge conflicts become work; otherwise they are escalated"},
    Meaning{"town.auto_merge_delay_minutes", "how long a pull request stays green before it is merged; unset is never"},
    Meaning{"town.max_polecats", "workers that a rig may have at work at once"},
    Meaning{"town.runs_per_day", "runs that a town may start in 24 hours"},
    Meaning{"town.polecat_preset", "the agent program of workers"},
    Meaning{"town.refinery_preset", "the agent program of refineries"},
    Meaning{"town.mayor_preset", "the agent program of the mayor"},
    Meaning{"town.usd_per_day", "what a town may spend in 24 hours; unset is no limit"},
    Meaning{"reconciler.heartbeat", "how often a running agent gives a sign of life"},
    Meaning{"reconciler.heartbeat_stale", "silence after which an agent is not counted as alive"},
    Meaning{"reconciler.never_started", "a run without any sign of life for so long never started"},
    Meaning{"reconciler.not_found_grace", "not_found so soon after a sign of life is ignored"},
    Meaning{"reconciler.resync", "how often a town with live runs is looked over without cause"},
    Meaning{"reconciler.lost_agent", "work in progress that nobody has been hooked to for so long is given back"},
    Meaning{"reconciler.lost_agent_after_run", "the same after its last run has ended"},
    Meaning{"reconciler.orphaned_source", "work in review without a live request for so long is given back"},
    Meaning{"reconciler.abandoned_review", "a review that nobody is hooked to for so long is queued again"},
    Meaning{"reconciler.stuck_review", "a review without any change for so long is queued again"},
    Meaning{"reconciler.orphaned_pr", "a pull request without an answer for so long fails its request"},
    Meaning{"reconciler.poll", "how often a pull request is polled"},
    Meaning{"reconciler.merge_retry", "wait before a merge is asked for again"},
    Meaning{"reconciler.verify_retry", "wait before a landing is asked for again"},
    Meaning{"reconciler.verify_tries", "landings asked for without an answer before a person is told"},
    Meaning{"reconciler.idle_run", "how long a run may go on after its outcome is known"},
    Meaning{"reconciler.stop_unconfirmed", "a stop not confirmed for so long is given up and escalated"},
    Meaning{"reconciler.gupp_warn", "an agent without progress for so long is reminded"},
    Meaning{"reconciler.gupp_escalate", "without progress for so long it is reminded and triage is asked"},
    Meaning{"reconciler.gupp_force_stop", "without progress for so long it is stopped"},
    Meaning{"reconciler.gupp_repeat", "least time between two reminders of a kind"},
    Meaning{"reconciler.gupp_active_tools_factor", "how much longer an agent with a tool at work may take"},
    Meaning{"reconciler.stalled_release", "a stalled agent is let go after so long"},
    Meaning{"reconciler.gc_agents", "an agent idle for so long is deleted"},
    Meaning{"reconciler.gc_beads", "an ended bead that nothing refers to is archived after so long"},
    Meaning{"reconciler.max_dispatch_attempts", "runs that a bead gets before it fails"},
    Meaning{"reconciler.attempts_reset", "an agent quiet for so long gets its attempts back"},
    Meaning{"reconciler.backoff", "waits between the attempts at one bead; the last repeats"},
    Meaning{"reconciler.breaker_town", "failed runs in the window at which a town stops dispatching"},
    Meaning{"reconciler.breaker_rig", "failed runs in a row at which a rig stops dispatching"},
    Meaning{"reconciler.breaker_window", "how far back the town's breaker looks"},
    Meaning{"reconciler.breaker_probe", "how often an open breaker lets one run through"},
    Meaning{"reconciler.landing_attempts", "landings that a convoy tries before it fails"},
    Meaning{"reconciler.landing_backoff", "wait before the next landing; doubles with each"},
    Meaning{"reconciler.landing_backoff_max", "the longest wait between landings"},
    Meaning{"reconciler.drain", "a drain ends by itself after so long"},
    Meaning{"reconciler.triage_cap", "attempts at a triage batch"},
    Meaning{"reconciler.triage_batch", "questions in one triage batch"},
    Meaning{"reconciler.triage_delay", "how long a question waits for others to join its batch"},
    Meaning{"reconciler.triage_backoff_max", "the longest wait after failed triage batches"},
    Meaning{"reconciler.triage_failures", "failed triage batches in a row before a person is told"},
    Meaning{"reconciler.escalation_step", "an unacknowledged escalation is raised again after so long, then longer"},
    Meaning{"reconciler.escalation_max", "how often an escalation is raised again"},
    Meaning{"reconciler.review_rounds", "times that work may come back from review before a person is asked"},
    Meaning{"reconciler.rate_limited", "wait when a provider limits the rate and does not say for how long"},
    Meaning{"reconciler.late_done", "how long after its end a run's done still counts"},
    Meaning{"reconciler.rig_check", "how often a broken rig is checked"},
    Meaning{"reconciler.poll_transient_limit", "passing poll failures in a row that fail a request"},
    Meaning{"reconciler.poll_malformed_limit", "unreadable poll answers in a row that fail a request"},
    Meaning{"reconciler.ageing", "waiting time that one step of priority is worth"},
    Meaning{"reconciler.delivery_timeout", "a message not confirmed for so long is delivered again"},
    Meaning{"github.host", "the host of pull requests: github.com, or that of a GitHub Enterprise Server"},
    Meaning{"github.token", "townd's token there, or env:NAME or file:PATH where it is; without one there are none"},
    Meaning{"github.app_id", "instead of a token: the number of a GitHub App that is installed there"},
    Meaning{"github.app_key", "its private key in PEM, or env:NAME or file:PATH where it is"},
    Meaning{"github.app_installation", "the number of its installation"},
    Meaning{"github.webhook_secret", "what GitHub signs its webhooks with, or env:NAME or file:PATH where it is"},
    Meaning{"github.bots", "programs whose review comments become work, as people's with write access do"},
    Meaning{"sentry.dsn", "the Sentry that alerts go to, or env:NAME or file:PATH where its DSN is"},
    Meaning{"webhook.url", "where alerts are posted to, or env:NAME or file:PATH where the address is"},
    Meaning{"webhook.secret", "what a webhook's posts are signed with, or env:NAME or file:PATH where it is"},
    Meaning{"alerts.command", "program and arguments that get each alert as JSON on standard input"},
    Meaning{"alerts.quiet", "hours of each day, such as 22:00-07:00, in which only errors are told at once"},
    Meaning{"alerts.repeat", "how long nobody is told of the same trouble again"},
};

}  // namespace

std::string_view config_meaning(std::string_view key) {
  for (const Meaning& meaning : kMeanings)
    if (meaning.key == key) return meaning.line;
  return {};
}

}  // namespace townd
