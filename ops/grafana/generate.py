#!/usr/bin/env python3
"""Writes townd.json, the board for Grafana, from board.py and the names of docs/metrics.md.

    generate.py [--check] [--runbooks URL] [--townd URL] [--output FILE]

--check writes nothing and fails when townd.json is not what would be written. The two addresses become the defaults of
the board's own fields, for links to the run-books and to a town's ticks."""

import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # this may be a tree that is not ours to write to
import board  # noqa: E402
from expressions import of  # noqa: E402

JSON = pathlib.Path(__file__).resolve().parent / "townd.json"
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
PLUGINS = {"lines": "timeseries", "bars": "timeseries", "stat": "stat", "gauge": "gauge", "table": "table",
           "text": "text"}
THEN = "from=${__from:date:iso}&to=${__to:date:iso}"


def thresholds(panel):
    steps = panel.get("steps") or [(None, "green")]
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


def graph_style(panel):
    bars = panel["kind"] == "bars"
    return {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 80 if bars else 20 if panel.get("stack") else 0,
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.get("stack") else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if panel.get("line") else "off"},
    }


def field_config(panel):
    defaults = {"unit": panel["unit"], "thresholds": thresholds(panel)}
    for limit in ("min", "max"):
        if limit in panel:
            defaults[limit] = panel[limit]
    overrides = []
    if panel["kind"] in ("lines", "bars"):
        defaults["custom"] = graph_style(panel)
        defaults["color"] = {"mode": "thresholds" if panel.get("by_steps") else "palette-classic"}
        defaults.setdefault("min", 0)
        if panel.get("ticks") or panel.get("by_steps"):
            defaults["links"] = [{"title": "Ticks of this town in this time", "targetBlank": True,
                                  "url": "${townd}/api/towns/${__field.labels.town}/ticks?" + THEN}]
        for name, color in panel.get("colors", {}).items():
            overrides.append({"matcher": {"id": "byName", "options": name},
                              "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]})
    else:
        defaults["color"] = {"mode": "thresholds"}
    if "words" in panel:
        options = {str(value): {"text": text} for value, text in panel["words"].items()}
        defaults["mappings"] = [{"type": "value", "options": options}]
    if panel["title"] == "Which alerts":
        link = {"title": "Run-book", "url": "${runbooks}/${__value.raw}.md", "targetBlank": True}
        overrides.append({"matcher": {"id": "byName", "options": "alertname"},
                          "properties": [{"id": "links", "value": [link]}]})
    return {"defaults": defaults, "overrides": overrides}


def options(panel):
    reduce = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "auto"}
    kind = panel["kind"]
    if kind == "stat":
        return {**reduce, "colorMode": "background", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
                "percentChangeColorMode": "standard", "showPercentChange": False, "wideLayout": True}
    if kind == "gauge":
        return {**reduce, "minVizHeight": 75, "minVizWidth": 75, "showThresholdLabels": False,
                "showThresholdMarkers": True, "sizing": "auto"}
    if kind == "table":
        return {"frameIndex": 0, "showHeader": True, "cellHeight": "sm"}
    if kind == "text":
        return {"mode": "markdown", "content": panel["text"]}
    return {"legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table" if panel["w"] < 12 else "list",
                       "placement": "bottom", "showLegend": True, "sortBy": "Max", "sortDesc": True},
            "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": True}}


def targets(panel):
    # What is a single number is asked for the end of the chosen time: the latest value, and none when there is none.
    instant = panel["kind"] in ("stat", "gauge", "table")
    return [{"datasource": PROMETHEUS, "refId": chr(ord("A") + index), "editorMode": "code", "expr": expression,
             "legendFormat": legend or "__auto", "format": "table" if panel["kind"] == "table" else "time_series",
             "instant": instant, "range": not instant} for index, (expression, legend) in enumerate(panel["targets"])]


def rendered(panel, number, x, y):
    made = {"id": number, "type": PLUGINS[panel["kind"]], "title": panel["title"],
            "gridPos": {"h": panel["h"], "w": panel["w"], "x": x, "y": y}, "options": options(panel)}
    if panel["what"]:
        made["description"] = panel["what"]
    if panel["kind"] != "text":
        made.update(datasource=PROMETHEUS, fieldConfig=field_config(panel), targets=targets(panel))
    if panel["kind"] == "table":
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]
    return made


def rendered_rows():
    made, y = [], 0
    for title, panels in board.ROWS:
        made.append({"id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
                     "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        y, x, height = y + 1, 0, 0
        for panel in panels:
            if x + panel["w"] > WIDTH:
                x, y, height = 0, y + height, 0
            made.append(rendered(panel, len(made) + 1, x, y))
            x, height = x + panel["w"], max(height, panel["h"])
        y += height
    return made


def choice(name, label, series, which):
    query = "label_values(%s, %s)" % (series, which)
    return {"type": "query", "name": name, "label": label, "datasource": PROMETHEUS, "definition": query,
            "query": {"query": query, "refId": name}, "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]}, "refresh": 2, "sort": 1, "hide": 0}


def typed(name, label, default, what):
    return {"type": "textbox", "name": name, "label": label, "query": default, "description": what,
            "current": {"text": default, "value": default}, "options": [], "hide": 0}


def variables(runbooks, townd):
    # Each is chosen among what the ones before it leave, so none of them may look at itself.
    of_town = of("townd_pending_events").replace(',town=~"$town"', "")
    of_rig = of("townd_merge_queue_depth").replace(',rig=~"$rig"', "")
    return [
        {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0,
         "refresh": 1, "current": {"text": "default", "value": "default"}, "options": []},
        choice("instance", "Node", "townd_build_info", "instance"),
        choice("town", "Town", of_town, "town"),
        choice("rig", "Rig", of_rig, "rig"),
        typed("runbooks", "Run-books at", runbooks, "where docs/runbooks of townd's sources can be read"),
        typed("townd", "townd at", townd, "townd's own address, for links to ticks"),
    ]


def annotations():
    made = []
    for line in board.ANNOTATIONS:
        made.append({"name": line["name"], "datasource": PROMETHEUS, "enable": True, "hide": False,
                     "iconColor": line["color"], "expr": line["expr"], "step": "30s", "titleFormat": line["title"],
                     "textFormat": line["text"], "tagKeys": "instance", "useValueForTime": line["value_is_time"]})
    return {"list": made}


def link(title, url, what):
    return {"type": "link", "title": title, "url": url, "tooltip": what, "icon": "doc", "targetBlank": True,
            "asDropdown": False, "includeVars": False, "keepTime": False, "tags": []}


def dashboard(runbooks, townd):
    return {
        "uid": "townd",
        "title": "townd",
        "description": "Fleets of coding agents. Made by ops/grafana/generate.py; change board.py there, not this.",
        "tags": ["townd"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [link("Run-books", "${runbooks}/README.md", "One page for each alert"),
                  link("Ticks of this time", "${townd}/api/towns/${town}/ticks?" + THEN,
                       "Of one chosen town, as JSON; the same as: town ticks")],
        "annotations": annotations(),
        "templating": {"list": variables(runbooks, townd)},
        "panels": rendered_rows(),
    }


def main():
    arguments = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--runbooks", default="https://docs.example.com/townd/runbooks")
    arguments.add_argument("--townd", default="http://127.0.0.1:7777")
    arguments.add_argument("--output", type=pathlib.Path, default=JSON)
    given = arguments.parse_args()
    text = json.dumps(dashboard(given.runbooks, given.townd), indent=1, ensure_ascii=False) + "\n"
    if not given.check:
        given.output.write_text(text, encoding="utf-8")
    elif not given.output.exists() or given.output.read_text(encoding="utf-8") != text:
        sys.exit("%s is not what board.py and docs/metrics.md make: run ops/grafana/generate.py" % given.output)


if __name__ == "__main__":
    main()
