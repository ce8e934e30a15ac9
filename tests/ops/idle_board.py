#!/usr/bin/env python3
"""Asks Prometheus what Grafana and the alerts would ask, over the last SECONDS of an idle townd.

    idle_board.py PROMETHEUS_URL BOARD_JSON SECONDS STEP

Every panel must have a value, and no NaN, at every step. Series that a panel shows must not have holes. Every alert's
expression must be evaluated without an error, and no alert may fire."""

import json
import math
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

problems = []


def ask(url, path, **query):
    encoded = urllib.parse.urlencode(query)
    try:
        with urllib.request.urlopen("%s%s?%s" % (url, path, encoded), timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as refused:
        raise RuntimeError(refused.read().decode()) from refused


def as_sent(expression, step):
    """With what Grafana puts in the place of its variables; `All` for those that a person chooses."""
    window = max(4, step + 1)  # townd is scraped each second here
    for name, value in (("$__rate_interval", "%ds" % window), ("$__interval_ms", str(step * 1000)),
                        ("$instance", ".*"), ("$town", ".*"), ("$rig", ".*")):
        expression = expression.replace(name, value)
    if "$" in expression:
        raise RuntimeError("a variable is left in " + expression)
    return expression


def check_panel(url, panel, target, start, end, step):
    where = "panel %r, %s" % (panel["title"], target["expr"])
    try:
        found = ask(url, "/api/v1/query_range", query=as_sent(target["expr"], step), start=start, end=end, step=step)
    except RuntimeError as refused:
        problems.append("%s: %s" % (where, refused))
        return
    steps = {start + step * index for index in range(int((end - start) / step) + 1)}
    seen = set()
    for series in found["result"]:
        times = {float(at) for at, _ in series["values"]}
        seen |= times
        # Of a choice among equals others may be shown from step to step.
        if len(times) != len(steps) and "topk" not in target["expr"]:
            problems.append("%s: %s has %d of %d values" % (where, series["metric"], len(times), len(steps)))
        for at, value in series["values"]:
            if math.isnan(float(value)) or math.isinf(float(value)):
                problems.append("%s: %s is %s at %s" % (where, series["metric"], value, at))
    if len(seen) != len(steps):
        problems.append("%s: nothing at %d of %d steps" % (where, len(steps) - len(seen), len(steps)))


def main():
    url, board_file, seconds, step = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    board = json.loads(pathlib.Path(board_file).read_text(encoding="utf-8"))
    end = math.floor(float(ask(url, "/api/v1/query", query="time()")["result"][1])) - 1
    start = end - seconds
    asked = 0
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            check_panel(url, panel, target, start, end, step)
            asked += 1
    for line in board["annotations"]["list"]:
        ask(url, "/api/v1/query_range", query=as_sent(line["expr"], step), start=start, end=end, step=step)
        asked += 1
    alerts = [rule for group in ask(url, "/api/v1/rules")["groups"] for rule in group["rules"]]
    for rule in alerts:
        if rule["health"] != "ok":
            problems.append("alert %s: %s %s" % (rule["name"], rule["health"], rule.get("lastError", "")))
        # How full the disk is that the test runs on is not the test's doing.
        if rule["state"] != "inactive" and rule["name"] != "TowndDiskFilling":
            problems.append("alert %s is %s although all is well: %s" % (rule["name"], rule["state"], rule["alerts"]))
    for problem in problems:
        print(problem)
    print("%d expressions at each of %d steps, %d alerts" % (asked, seconds // step + 1, len(alerts)))
    sys.exit(1 if problems or not alerts else 0)


if __name__ == "__main__":
    main()
