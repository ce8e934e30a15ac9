"""Every exchange and every webhook of a forge, one JSON object in a line, for the checks against published schemas."""

import json
import threading


class Recorder:
    def __init__(self, path):
        self.file, self.lock = open(path, "a", encoding="utf-8"), threading.Lock()

    def exchange(self, request, reply, fault):
        if fault or not request.path.startswith("/api/"):
            return
        entry = {"method": request.method, "path": request.path, "query": request.query,
                 "request": text(request.body), "status": reply.status, "reply": text(reply.body),
                 "headers": dict(reply.headers)}
        self.write(entry)

    def delivery(self, delivery):
        if delivery.headers["Content-Type"] == "application/json":
            self.write({"event": delivery.event, "action": delivery.action, "payload": json.loads(delivery.body)})

    def write(self, entry):
        with self.lock:
            self.file.write(json.dumps(entry) + "\n")
            self.file.flush()


def text(body):
    return body.decode("utf-8", "replace")
