"""Paths of a REST interface and what answers them: `{name}` is one part of a path, `{name+}` the rest of it."""

import re


class Routes:
    """The first that fits is taken. `make` makes a route of (method, function, options)."""

    def __init__(self, make):
        self.make, self.all = make, []

    def route(self, method, path, **options):
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", path)
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "$")

        def keep(function):
            self.all.append((method, pattern, self.make(method, function, options)))
            return function
        return keep

    def find(self, method, path):
        """(route, parameters), or (None, {})."""
        for one, pattern, route in self.all:
            match = pattern.match(path)
            if match and one == method:
                return route, match.groupdict()
        return None, {}

    def methods(self, path):
        """All that a path answers."""
        return [method for method, pattern, _ in self.all if pattern.match(path)]
