#!/usr/bin/env python3
"""What GET /metrics answers is what docs/metrics.md says: names, kinds, labels, nothing more and nothing less.
Usage: as_written.py METRICS_PAGE ANSWER"""

import pathlib
import re
import sys


def said(page):
    """name → (kind, labels); what Prometheus' own clients have is of kind ''."""
    names = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            labels = {label.strip() for label in cells[2].split(",") if label.strip()}
            names.update((name, (cells[1], labels)) for name in re.findall(r"`([a-z_]+)`", cells[0]))
    return names


def answered(text):
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, flags=re.M))
    labels = {name: set() for name in kinds}
    for series, inside in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, flags=re.M):
        name = series if series in kinds else re.sub(r"_(bucket|sum|count)$", "", series)
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', inside))
    return {name: (kinds.get(name, "no kind"), found - {"le"}) for name, found in labels.items()}


def main():
    page, answer = (pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3])
    written, given = said(page), answered(answer)
    problems = ["%s is in docs/metrics.md and is not answered" % name for name in sorted(set(written) - set(given))]
    problems += ["%s is answered and not in docs/metrics.md" % name for name in sorted(set(given) - set(written))]
    for name in sorted(set(written) & set(given)):
        kind, labels = written[name]
        if kind and kind != given[name][0]:
            problems.append("%s is a %s, not a %s" % (name, given[name][0], kind))
        if labels != given[name][1]:
            problems.append("%s has the labels %s, not %s" % (name, sorted(given[name][1]), sorted(labels)))
    print("\n".join(problems + ["%d names, %d series" % (len(given), len(re.findall(r"^\w", answer, flags=re.M)))]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
