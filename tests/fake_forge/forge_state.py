"""What the states of all forges have in common: places (repositories, or projects) by their full names, the names that
they had, and who is told of changes."""

import dataclasses
import os
import threading

from clock import Counter


@dataclasses.dataclass(eq=False, kw_only=True)
class Sending:
    """Of a hook: how it is sent. The last three are what a test asked for: so many of the next deliveries go twice,
    with a wrong signature, or all of them late."""
    insecure_ssl: bool = False
    active: bool = True
    twice: int = 0
    bad_signature: int = 0
    delay_ms: int = 0


class ForgeState:
    def __init__(self, clock, root):
        self.clock, self.root = clock, root
        self.ids, self.lock = Counter(), threading.RLock()
        self.users, self.tokens, self.places, self.moved = {}, {}, {}, {}
        # Called with (place, event, action, actor, subject…) after every change; a forge's events send webhooks.
        self.listeners = []
        os.makedirs(root, exist_ok=True)

    def add_place(self, place):
        self.places[place.full_name.lower()] = place
        return place

    def place(self, full_name):
        """(place, whether this is an old name), or (None, False)."""
        key = full_name.lower()
        if key in self.places:
            return self.places[key], False
        return (self.moved[key], True) if key in self.moved else (None, False)

    def rename(self, place, name):
        """The old name redirects."""
        old = place.full_name.lower()
        del self.places[old]
        place.name = name
        self.moved[old] = self.add_place(place)

    def told(self, place, event, action, actor, **subject):
        for listener in self.listeners:
            listener(place, event, action, actor, subject)
