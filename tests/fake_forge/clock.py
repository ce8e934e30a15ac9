"""The time of a fake forge: that of the machine, moved by what a test asked for."""

import datetime
import email.utils
import threading
import time


class Clock:
    def __init__(self):
        self.offset_s = 0

    def now(self):
        """Seconds since 1970, whole, as forges write them."""
        return int(time.time() + self.offset_s)

    def move(self, seconds):
        self.offset_s += seconds


def iso(seconds):
    """2026-01-02T03:04:05Z, or None for None."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


class Counter:
    """Numbers that never come twice, for ids."""

    def __init__(self, start=1000):
        self.last = start
        self.lock = threading.Lock()

    def next(self):
        with self.lock:
            self.last += 1
            return self.last
