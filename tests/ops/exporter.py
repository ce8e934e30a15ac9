#!/usr/bin/env python3
"""A townd that only has metrics: every name of docs/metrics.md, idle, with two values for each label. To try the board
and the alerts without a daemon. Usage: exporter.py METRICS_PAGE TOKEN_FILE; prints its port."""

import http.server
import itertools
import pathlib
import re
import sys
import time

VALUES = {"town": ["acme", "_other"], "rig": ["shop", "_other"], "version": ["0.0.0"]}
STARTED = time.time()


def series(name, labels, more=""):
    """One for each combination of the labels' values."""
    for values in itertools.product(*(VALUES.get(label, ["one", "two"]) for label in labels)):
        pairs = ['%s="%s"' % pair for pair in zip(labels, values)] + ([more] if more else [])
        yield name + ("{%s}" % ",".join(pairs) if pairs else "")


def value_of(name):
    if name == "process_start_time_seconds":
        return STARTED
    if "timestamp" in name:
        return time.time()
    return 1 if name in ("townd_build_info", "process_max_fds") else 0


def answer(page):
    lines = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 4:
            continue
        for name in re.findall(r"`([a-z_]+)`", cells[0]):
            labels = [label.strip() for label in cells[2].split(",") if label.strip()]
            kind = cells[1] or ("counter" if name.endswith("_total") else "gauge")
            lines += ["# HELP %s A value." % name, "# TYPE %s %s" % (name, kind)]
            if kind != "histogram":
                lines += ["%s %r" % (one, value_of(name)) for one in series(name, labels)]
                continue
            for bound in ("0.01", "0.5", "+Inf"):
                lines += [one + " 0" for one in series(name + "_bucket", labels, 'le="%s"' % bound)]
            lines += [one + " 0" for part in ("_sum", "_count") for one in series(name + part, labels)]
    return "\n".join(lines) + "\n"


def main():
    page, token = (pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            allowed = self.headers.get("Authorization") == "Bearer " + token.strip()
            body = answer(page).encode() if allowed else b"no\n"
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # whoever asked did not wait for the answer
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
