"""Faults that a test asked for: the next requests of a form are answered wrong, late, half or not at all.

A fault is a JSON object. Which requests: `method` ("*" for all), `path` (a glob over the path without its query),
`contains` (text in the body, such as a mutation's name), `skip` (so many first go through), `times` (1; -1 for always).
What happens: `hang_ms` (wait), then one of `drop` (close without an answer), `redirect` (a URL; `status` 302),
`secondary` (403 or 429, the forge's own secondary limit), `status` with `body` (text, or JSON) and `headers`. Without
one of these the real answer is given, with `headers` added. `cut` sends so many bytes of the answer's body and closes.
`when`: "before" leaves the request undone, "after" does it first and then spoils the answer."""

import fnmatch
import itertools
import json
import threading

FIELDS = {"method": str, "path": str, "contains": str, "skip": int, "times": int, "hang_ms": int, "drop": bool,
          "redirect": str, "secondary": int, "status": int, "body": object, "headers": dict, "cut": int, "when": str}


class Fault:
    def __init__(self, number, wanted):
        for name, value in wanted.items():
            if name not in FIELDS or not isinstance(value, FIELDS[name]):
                raise ValueError(f"a fault has no {name} of {type(value).__name__}")
        self.number = number
        self.method = wanted.get("method", "*")
        self.path = wanted.get("path", "*")
        self.contains = wanted.get("contains", "")
        self.skip = wanted.get("skip", 0)
        self.times = wanted.get("times", 1)
        self.hang_ms = wanted.get("hang_ms", 0)
        self.drop = wanted.get("drop", False)
        self.redirect = wanted.get("redirect")
        self.secondary = wanted.get("secondary")
        self.status = wanted.get("status")
        self.body = wanted.get("body", "")
        self.headers = wanted.get("headers", {})
        self.cut = wanted.get("cut")
        self.when = wanted.get("when", "before")
        if self.when not in ("before", "after"):
            raise ValueError("when is before or after")

    def replaces(self):
        """Whether the forge's own answer is not given."""
        return bool(self.drop or self.redirect or self.secondary or self.status)

    def fits(self, method, path, body):
        return (self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path)
                and self.contains.encode() in body)

    def payload(self):
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    def shown(self):
        return {"id": self.number, "method": self.method, "path": self.path, "left": self.times}


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.waiting = []

    def add(self, wanted):
        with self.lock:
            fault = Fault(next(self.numbers), wanted)
            self.waiting.append(fault)
            return fault

    def take(self, method, path, body):
        """The fault that this request meets, counted as met; or None."""
        with self.lock:
            for fault in self.waiting:
                if fault.times != 0 and fault.fits(method, path, body):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    if fault.times > 0:
                        fault.times -= 1
                    return fault
        return None

    def clear(self):
        with self.lock:
            self.waiting.clear()

    def shown(self):
        with self.lock:
            return [fault.shown() for fault in self.waiting]
