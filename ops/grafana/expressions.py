"""Expressions over the metrics of docs/metrics.md. A name that the page does not have is an error, and the selectors
come from the labels that it gives. Each expression has a value at every moment at which townd is scraped: a share of
nothing and a quantile of nothing are 0, and so is a sum over series that are not there."""

import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
WINDOW = "$__rate_interval"
NODE = 'instance=~"$instance"'
# Taken from townd's own series and not from a constant, so that a daemon that is down leaves a gap and no false 0.
NOTHING = "0 * max(townd_build_info{%s})" % NODE


def contract():
    """name → (kind, labels) for each name of the page; what Prometheus' own clients have is of kind ''."""
    names = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 4:
            continue
        labels = [label.strip() for label in cells[2].split(",") if label.strip()]
        for name in re.findall(r"`([a-z_]+)`", cells[0]):
            names[name] = (cells[1], labels)
    return names


CONTRACT = contract()


def of(name, *more):
    """The series of a metric that the variables of the board choose."""
    kind, labels = CONTRACT[re.sub(r"_(bucket|sum|count)$", "", name)]
    matchers = [NODE] if kind else ['job="townd"', NODE]
    if "town" in labels:
        matchers.append('town=~"$town"')
    if "rig" in labels:
        # A whole town's value is no rig's: whichever rig is chosen, it counts.
        matchers.append('rig=~"$rig|_town"' if name == "townd_breaker_open" else 'rig=~"$rig"')
    return "%s{%s}" % (name, ",".join(matchers + list(more)))


def by(function, labels, vector):
    return "%s by (%s) (%s)" % (function, labels, vector) if labels else "%s(%s)" % (function, vector)


def total(name, labels="", *more):
    return by("sum", labels, of(name, *more))


def greatest(name, labels="", *more):
    return by("max", labels, of(name, *more))


def per_second(name, labels="", *more):
    return by("sum", labels, "rate(%s[%s])" % (of(name, *more), WINDOW))


def in_each_bar(name, labels="", *more):
    """How many in the time of one bar. The window is wider than a bar by a scrape, so that no increment falls between
    two; hence the rate and not increase()."""
    return per_second(name, labels, *more) + " * $__interval_ms / 1000"


def in_a_day(name, labels="", *more):
    return by("sum", labels, "increase(%s[24h])" % of(name, *more))


def share(part, whole, none="0"):
    """0 (or `none`) where the whole is 0; the labels of both must be the same."""
    return "((%s) / (%s > 0)) or (%s + 0 * (%s))" % (part, whole, none, whole)


def quantile(q, histogram, labels=""):
    grouped = "le, " + labels if labels else "le"
    buckets = by("sum", grouped, "rate(%s[%s])" % (of(histogram + "_bucket"), WINDOW))
    count = per_second(histogram + "_count", labels)
    return "(histogram_quantile(%s, %s) >= 0) or (0 * %s)" % (q, buckets, count)


def complete(expression, nothing=NOTHING):
    """With a value also when there is no such series: no town yet, no rig yet."""
    return "(%s) or on () (%s)" % (expression, nothing)
