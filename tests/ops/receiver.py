#!/usr/bin/env python3
"""Whoever is told by Alertmanager: prints its port, then each alert that arrives as a line `STATUS NAME LABELS`."""

import http.server
import json


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in told["alerts"]:
            labels = alert["labels"]
            annotations = alert["annotations"]
            print(alert["status"], labels["alertname"], labels.get("severity"), annotations.get("runbook"),
                  annotations.get("command"), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
