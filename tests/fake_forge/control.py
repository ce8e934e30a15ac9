"""The control port: how a test sets the scene and looks behind it. Plain HTTP on the loopback, JSON in, JSON out; what
every forge has. A forge adds its own commands as a dictionary of path → function(body)."""

import json

from web import Reply, Site


class Bad(Exception):
    """A command that makes no sense; told with 400."""


class Control(Site):
    def __init__(self, forge, commands):
        from web import Log
        from faults import Faults
        super().__init__(forge.clock, Log(), Faults())
        self.forge = forge
        self.commands = {"/faults": self.faults_, "/log": self.log_, "/clock": self.clock_, "/pages": self.pages,
                         "/failures": self.failures_,
                         "/deliveries": self.deliveries, "/hold": self.hold, "/release": self.release, **commands}

    def answer(self, request):
        command = self.commands.get(request.path)
        if command is None:
            return Reply.of_json(404, {"error": f"no such command; there are {', '.join(sorted(self.commands))}"})
        try:
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise Bad("a command is a JSON object")
            result = command(body)
        except (Bad, KeyError, ValueError, TypeError) as error:
            return Reply.of_json(400, {"error": f"{type(error).__name__}: {error}"})
        return Reply.of_json(200, {} if result is None else result)

    def failures_(self, body):
        """What went wrong in the fake itself since the last look; a test demands that it is nothing."""
        told, self.forge.failures = self.forge.failures, []
        return {"failures": told}

    def faults_(self, body):
        if body.pop("clear", False):
            self.forge.faults.clear()
        if body:
            return self.forge.faults.add(body).shown()
        return {"faults": self.forge.faults.shown()}

    def log_(self, body):
        return self.forge.log.since(body.get("since", 0))

    def clock_(self, body):
        self.forge.clock.move(body.get("advance_s", 0))
        return {"now": self.forge.clock.now()}

    def pages(self, body):
        self.forge.page_cap = body["cap"]

    def deliveries(self, body):
        if "idle_s" in body and not self.forge.sender.idle(body["idle_s"]):
            raise Bad("deliveries are still under way")
        return {"deliveries": self.forge.sender.shown()}

    def hold(self, body):
        self.forge.sender.hold()

    def release(self, body):
        self.forge.sender.release(body.get("order"))
