"""What the board shows: rows of panels, in order. generate.py makes townd.json of it."""

from expressions import (NODE, NOTHING, by, complete, greatest, in_a_day, in_each_bar, of, per_second, quantile,
                         share, total)

FIRING = 'ALERTS{alertname=~"Townd.+",alertstate="firing",%s}' % NODE
MERGED, STARTED = 'result="merged"', 'outcome="started"'
GREEN, YELLOW, RED = "green", "yellow", "red"


def panel(kind, title, what, *targets, unit="short", w=8, h=8, nothing=NOTHING, **more):
    """`targets` are pairs of an expression and a legend; `steps` pairs of a value and the colour from there on."""
    ready = [(complete(expression, nothing), legend) for expression, legend in targets]
    return {"kind": kind, "title": title, "what": what, "targets": ready, "unit": unit, "w": w, "h": h, **more}


def lines(title, what, *targets, **more):
    return panel("lines", title, what, *targets, **more)


def bars(title, what, *targets, **more):
    return panel("bars", title, what, *targets, **more)


def stat(title, what, expression, **more):
    return panel("stat", title, what, (expression, ""), **{"w": 3, "h": 4, **more})


def any_is_red(at=1, before=GREEN):
    return [(None, before), (at, RED)]


def quantiles(histogram, labels=""):
    legend = " {{%s}}" % labels if labels else ""
    return [(quantile(q, histogram, labels), name + legend)
            for q, name in ((0.5, "median"), (0.95, "p95"), (0.99, "p99"))]


def slowest_town(q):
    return by("max", "", quantile(q, "townd_reconciler_tick_seconds", "town"))


# Of towns in which a run lives: others have no reason to tick.
SINCE_LAST_TICK = "((time() - min by (town) (%s)) and on (town) (%s > 0)) or (0 * min by (town) (%s))" % (
    of("townd_reconciler_last_tick_timestamp_seconds"), total("townd_live_runs", "town"),
    of("townd_reconciler_last_tick_timestamp_seconds"))
TICKS = "townd_reconciler_ticks_total"
ACTIONS = "townd_reconciler_actions_total"
ACTIONS_PER_TICK = "(%s / on () group_left () (%s > 0)) or (0 * %s)" % (
    per_second(ACTIONS, "type"), per_second(TICKS), per_second(ACTIONS, "type"))

COMMANDS = """\
| you want to know | ask |
|---|---|
| what is wrong, first things first | `town status --town TOWN`, `town doctor` |
| why something is where it is, and what happens next | `town why ID` |
| what was decided in the time shown here | `town ticks --town TOWN --from ${__from:date:iso} --to ${__to:date:iso}` |
| … and was refused or broken | the same with `--violations` |
| what changed in this time, and what did it | `town diff --town TOWN --from ${__from:date:iso} --to ${__to:date:iso}` |
| whether this townd would decide so again | `town replay --town TOWN --from ${__from:date:iso} --to ${__to:date:iso}` |

Chosen here: ${town}. Each alert above has a page among the run-books: its name in the table leads there."""

ROWS = [
    ("What is wrong now", [
        stat("Daemon", "Whether Prometheus reaches townd. Red: start with `town doctor` on its machine.",
             'min(up{job="townd",%s})' % NODE, steps=[(None, RED), (1, GREEN)], words={0: "DOWN", 1: "up"},
             nothing="vector(0)"),
        stat("Alerts firing", "Alerts of ops/prometheus/alerts.yml. The table beside says which.",
             "count(%s)" % FIRING, steps=any_is_red()),
        stat("Towns not run", "Quarantined or unreadable. `town doctor` names them.",
             total("townd_towns", "", 'state="not_run"'), steps=any_is_red()),
        stat("Longest without a tick", "Of towns with live runs; each is looked over once a minute. Red from three "
             "missed on: `town status --town TOWN`.", by("max", "", SINCE_LAST_TICK), unit="s",
             steps=[(None, GREEN), (120, YELLOW), (180, RED)]),
        stat("Breakers open", "Rigs and towns in which too many runs failed. `town status` names them.",
             total("townd_breaker_open"), steps=any_is_red()),
        stat("Merge queues paused", "`town queue` says why and until when.", total("townd_merge_queue_paused"),
             steps=any_is_red()),
        stat("Quarantined facts", "Could not be applied. `town status` shows each with its reason.",
             total("townd_quarantined_events"), steps=any_is_red()),
        stat("Silent longest", "Since the last sign of life of the live run that says nothing longest. `town agents`.",
             greatest("townd_silent_seconds"), unit="s", steps=[(None, GREEN), (90, YELLOW), (300, RED)]),
        panel("table", "Which alerts", "A line without a name means that none fires. Each name leads to its run-book.",
              ("sum by (alertname, severity, town, rig, instance) (%s)" % FIRING, ""), w=10, h=8),
        panel("text", "What to run", "", w=14, h=8, text=COMMANDS),
    ]),
    ("Reconciler", [
        lines("Events drained per tick", "Facts that a tick is given, on average. Grows when ticks fall behind.",
              (share(per_second("townd_reconciler_events_drained_total", "town"), per_second(TICKS, "town")),
               "{{town}}")),
        bars("Actions per tick by type", "Corrections that a tick applies, on average. One colour that stays while "
             "nothing gets done is a loop: `town ticks`.", (ACTIONS_PER_TICK, "{{type}}"), stack=True),
        lines("Side effects", "Put in the outbox, and what came of them. Unknown: nobody knows whether they happened.",
              (in_each_bar("townd_side_effects_total", "outcome"), "{{outcome}}"),
              colors={"attempted": "blue", "succeeded": GREEN, "failed": RED, "unknown": "orange"}),
        bars("Invariant violations", "Refused or found, by town. Always 0 in health: "
             "`town ticks --town TOWN --violations`.",
             (in_each_bar("townd_invariant_violations_total", "town"), "{{town}}"), stack=True,
             steps=any_is_red(0.0001), by_steps=True),
        lines("Wall clock of a tick, slowest town", "Without the wait for the disk. Red line at 500 ms.",
              (slowest_town(0.5), "median"), (slowest_town(0.95), "p95"), (slowest_town(0.99), "p99"), unit="s",
              steps=any_is_red(0.5), line=True),
        panel("gauge", "Pending facts now, fullest town", "The latest value, not a mean: facts that wait for the next "
              "tick. Red from 50 on.", (greatest("townd_pending_events"), ""),
              steps=[(None, GREEN), (25, YELLOW), (50, RED)], min=0, max=200),
    ]),
    ("Reconciler, by town and cause", [
        lines("Pending facts by town", "One bad town is seen here.",
              (total("townd_pending_events", "town"), "{{town}}"), steps=any_is_red(50), line=True, ticks=True),
        lines("p99 of a tick by town", "Which town is slow.",
              (quantile(0.99, "townd_reconciler_tick_seconds", "town"), "{{town}}"), unit="s", steps=any_is_red(0.5),
              line=True, ticks=True),
        lines("Since the last tick", "Of towns with live runs, 0 for others. A saw of one minute is health.",
              (SINCE_LAST_TICK, "{{town}}"), unit="s", steps=any_is_red(180), line=True, ticks=True),
        bars("Ticks by trigger", "What made them tick. Follow_up without end: ticks do not settle.",
             (in_each_bar(TICKS, "trigger"), "{{trigger}}"), stack=True),
        bars("Actions by rule", "Which rule is at work; `town ticks --rule RULE` shows its decisions.",
             (in_each_bar(ACTIONS, "rule"), "{{rule}}"), stack=True),
        bars("Actions skipped", "What they assumed no longer held. A few are health.",
             (in_each_bar("townd_reconciler_actions_stale_total", "type"), "{{type}}"), stack=True),
        bars("Violations by invariant", "Which invariant; its run-book says what each means.",
             (in_each_bar("townd_invariant_violations_total", "invariant"), "{{invariant}}"), stack=True),
        lines("Quarantined and in doubt", "Facts that could not be applied; effects of which nobody knows.",
              (total("townd_quarantined_events", "town"), "quarantined {{town}}"),
              (total("townd_effects_in_doubt", "town"), "in doubt {{town}}")),
        bars("townd contradicts itself", "Agenda misses, and ticks that were decided again otherwise. 0 in health.",
             (in_each_bar("townd_agenda_misses_total", "town"), "agenda missed {{town}}"),
             (in_each_bar("townd_replay_mismatches_total", "town"), "replay differs {{town}}"), stack=True),
        bars("Failed and unknown effects by kind", "land: the merge queue; start_agent: agents do not start.",
             (in_each_bar("townd_side_effects_total", "kind, outcome", 'outcome=~"failed|unknown"'),
              "{{kind}} {{outcome}}"), stack=True),
        bars("What people were told", "By kind. invariant_* and town_quarantined are townd's own troubles, escalation "
             "is somebody's question.", (in_each_bar("townd_alerts_total", "kind"), "{{kind}}"), stack=True, w=16),
        lines("Alerts on their way", "To Sentry, a webhook or a command. Waiting: it does not answer.",
              (total("townd_alert_deliveries", "sink, state"), "{{sink}} {{state}}")),
    ]),
    ("Fleet", [
        lines("Agents by status", "Stalled ones wait for a decision: `town triage list`.",
              (total("townd_agents", "status"), "{{status}}"), stack=True,
              colors={"working": GREEN, "idle": "blue", "waiting": YELLOW, "stalled": "orange", "dead": RED}),
        lines("Not at work", "Towns that somebody paused, that drain, or that cannot be run.",
              (total("townd_paused"), "paused"), (total("townd_draining"), "draining"),
              ("count(%s == 0)" % of("townd_town_runs"), "not run"), colors={"not run": RED}),
        lines("Live runs", "Runs that have not ended.", (total("townd_live_runs", "town"), "{{town}}"), stack=True),
        lines("Silence", "Of the live run that is silent longest. From 90 s on its agent counts as lost.",
              (greatest("townd_silent_seconds", "town"), "{{town}}"), unit="s", steps=any_is_red(300), line=True),
        lines("Work by status", "Issues. Failed ones wait for a person: `town reopen`.",
              (total("townd_beads", "status", 'type="issue"'), "{{status}}"),
              colors={"open": "blue", "in_progress": YELLOW, "in_review": "purple", "closed": GREEN, "failed": RED}),
        lines("Other beads that are open", "Merge requests, convoys, escalations and the rest.",
              (total("townd_beads", "type", 'type!="issue"', 'status!~"closed|failed"'), "{{type}}")),
        bars("Runs that ended", "done is health; many of one other kind have one cause: `town logs AGENT`.",
             (in_each_bar("townd_runs_ended_total", "outcome"), "{{outcome}}"), stack=True,
             colors={"done": GREEN, "crashed": RED, "never_started": "dark-red", "lost": "orange"}),
        lines("Breakers", "1 while open; _town is the town's own. One probe each 5 minutes until one ends well.",
              (greatest("townd_breaker_open", "town, rig"), "{{town}} {{rig}}"), steps=any_is_red(), line=True, w=24,
              h=6),
    ]),
    ("Dispatch and waiting", [
        lines("Slots", "Of the share of the node. None free and work waiting: [limits] max_agents.",
              (total("townd_slots", "state"), "{{state}}"), stack=True, colors={"free": GREEN, "taken": "blue"}),
        lines("Ready work", "Kept from being worked on by nothing but its turn.",
              (total("townd_ready_beads", "town, rig"), "{{town}} {{rig}}"), stack=True),
        lines("First in line has waited", "With free slots above, more than 15 minutes is a fault.",
              (greatest("townd_ready_head_seconds", "town, rig"), "{{town}} {{rig}}"), unit="s", steps=any_is_red(900),
              line=True),
        lines("From ready to dispatched", "Of what was dispatched.", *quantiles("townd_ready_wait_seconds"), unit="s"),
        lines("From dispatched to the first sign of life", "Red from 3 minutes on: such a run never started.",
              *quantiles("townd_dispatch_seconds"), unit="s", steps=any_is_red(180), line=True),
        bars("Dispatches", "Started: a sign of life came.",
             (in_each_bar("townd_dispatches_total", "outcome"), "{{outcome}}"), stack=True,
             colors={"started": GREEN, "failed": RED}),
        lines("Share of dispatches that start", "1 where none was tried.",
              (share(per_second("townd_dispatches_total", "town", STARTED),
                     per_second("townd_dispatches_total", "town"), none="1"), "{{town}}"), unit="percentunit",
              steps=[(None, RED), (0.5, GREEN)], line=True, min=0, max=1, w=24, h=6),
    ]),
    ("Merge queue", [
        lines("Depth", "Requests that are neither merged nor given up. `town queue` shows them.",
              (total("townd_merge_queue_depth", "town, rig"), "{{town}} {{rig}}")),
        lines("Unmoved for", "Since anything in it last changed its state; 0 while it is empty.",
              (greatest("townd_merge_queue_head_seconds", "town, rig"), "{{town}} {{rig}}"), unit="s",
              steps=any_is_red(3600), line=True),
        lines("Paused", "1 while paused: the gates fail on the target itself, or 24 trials landed nothing.",
              (greatest("townd_merge_queue_paused", "town, rig"), "{{town}} {{rig}}"), steps=any_is_red(), line=True),
        bars("Requests that ended", "merged is on the target, with proof.",
             (in_each_bar("townd_reviews_ended_total", "result"), "{{result}}"), stack=True,
             colors={"merged": GREEN, "failed": RED, "conflict": "orange"}),
        bars("Trials", "Red ones are halved until the culprit stands alone. broken: the target fails alone; error: it "
             "broke off.",
             (in_each_bar("townd_trials_total", "outcome"), "{{outcome}}"), stack=True,
             w=16, colors={"green": GREEN, "red": RED, "conflict": "orange", "error": "purple", "broken": "dark-red"}),
    ]),
    ("Cost", [
        stat("Dollars in 24 h", "What agents said they used.", in_a_day("townd_cost_usd_total"), unit="currencyUSD",
             w=4, h=8),
        stat("Dollars for each landed request", "In 24 h; 0 when nothing landed.",
             share(in_a_day("townd_cost_usd_total"), in_a_day("townd_reviews_ended_total", "", MERGED)),
             unit="currencyUSD", w=4, h=8),
        lines("Dollars in an hour", "At the rate of the moment. A daily limit: `town config set town.usd_per_day`.",
              ("3600 * " + per_second("townd_cost_usd_total", "town"), "{{town}}"), unit="currencyUSD", stack=True),
        lines("Tokens in a minute", "At the rate of the moment.",
              ("60 * " + per_second("townd_tokens_total", "town"), "{{town}}"), stack=True),
    ]),
    ("Store", [
        lines("A group commit takes", "The wait for the disk is most of it.", *quantiles("townd_commit_seconds"),
              unit="s"),
        lines("Towns in a commit", "How many towns' ticks one commit writes.", *quantiles("townd_commit_towns")),
        lines("Commits in a second", "", (per_second("townd_commit_seconds_count"), "commits")),
        lines("Towns", "Open: in memory. Away: nothing happens in them.", (total("townd_towns", "state"), "{{state}}"),
              stack=True, colors={"open": GREEN, "away": "blue", "not_run": RED}),
        lines("Disk used", "Of the data folder's file system. Below 2 GiB nothing new is started.",
              (greatest("townd_disk_used_ratio", "instance"), "{{instance}}"), unit="percentunit",
              steps=any_is_red(0.8), line=True, min=0, max=1),
        lines("Forge calls left", "Share of what a host of pull requests allows in its window.",
              (share(greatest("townd_forge_calls_left", "host, resource"),
                     greatest("townd_forge_calls_allowed", "host, resource"), none="1"), "{{host}} {{resource}}"),
              unit="percentunit", line=True, min=0, max=1),
        bars("Forge calls", "To hosts of pull requests.",
             (in_each_bar("townd_forge_calls_total", "host, resource"), "{{host}} {{resource}}"), stack=True),
        lines("Log used", "Of what one run may keep, by the run that has used most. Beyond it the oldest output goes.",
              (greatest("townd_log_used_ratio", "instance"), "{{instance}}"), unit="percentunit", steps=any_is_red(0.8),
              line=True, min=0, max=1),
    ]),
    ("Process", [
        lines("Processor", "Cores that townd itself uses; its agents are processes of their own.",
              (by("sum", "instance", "rate(%s[$__rate_interval])" % of("process_cpu_seconds_total")), "{{instance}}")),
        lines("Memory", "Of townd itself.", (greatest("process_resident_memory_bytes", "instance"), "{{instance}}"),
              unit="bytes"),
        lines("Open files", "Share of what it may open.",
              (share(greatest("process_open_fds", "instance"), greatest("process_max_fds", "instance")),
               "{{instance}}"), unit="percentunit", steps=any_is_red(0.8), line=True, min=0, max=1),
        bars("HTTP answers", "5xx: townd.log says what was wrong.",
             (in_each_bar("townd_http_requests_total", "status"), "{{status}}"), stack=True,
             colors={"2xx": GREEN, "3xx": "blue", "4xx": YELLOW, "5xx": RED}),
        bars("Busiest operations", "The ten of most requests.",
             ("topk(10, %s)" % in_each_bar("townd_http_requests_total", "operation"), "{{operation}}"), stack=True),
        lines("An answer takes", "From the request's last byte to the answer's first.",
              *quantiles("townd_http_request_seconds"), unit="s"),
        lines("Runs since", "Falls to 0 at each start.",
              ("time() - " + by("max", "instance", of("process_start_time_seconds")), "{{instance}}"), unit="s", w=16),
        panel("table", "Versions", "Two versions of one instance in the chosen time: a deploy.",
              ("max by (instance, version) (%s)" % of("townd_build_info"), ""), w=8, h=8),
    ]),
]

# Lines across every panel. A daemon's start tells its version; a drain lasts until the next start.
ANNOTATIONS = [
    {"name": "Starts and deploys", "color": "blue", "title": "townd {{version}} starts", "text": "{{instance}}",
     "expr": "(%s * on (instance) group_left (version) %s) * 1000" % (of("process_start_time_seconds"),
                                                                      of("townd_build_info")), "value_is_time": True},
    {"name": "Drains", "color": "orange", "title": "{{town}} drains", "text": "{{instance}}",
     "expr": total("townd_draining", "instance, town"), "value_is_time": False},
]
