#!/usr/bin/env python3
"""Starts a fake forge: a TLS port that speaks its protocol, and a plain control port on the loopback. See README.md."""

import argparse
import json
import os
import select
import signal
import sys
import threading

# No caches in the source tree.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import graphql  # noqa: F401
except ImportError:
    # Another Python comes first in the path; Debian's has Debian's packages.
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

from certificates import make_certificates
from clock import Clock
from control import Control
from faults import Faults
from gitea_control import GiteaControl
from gitea_site import Gitea
from github_control import GitHubControl
from github_site import GitHub
from gitlab_control import GitLabControl
from gitlab_site import GitLab
from recording import Recorder
from sending import Sender
from web import Log, Server, tls_context


KINDS = {"github": (GitHub, GitHubControl), "gitlab": (GitLab, GitLabControl),
         "gitea": (Gitea, GiteaControl)}


def watch_parent(parent, stopped):
    """Ends with the parent, or when standard input ends."""
    readable, _, _ = select.select([parent, sys.stdin.fileno()], [], [])
    while parent not in readable and os.read(sys.stdin.fileno(), 4096):
        readable, _, _ = select.select([parent, sys.stdin.fileno()], [], [])
    stopped.set()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kind", choices=sorted(KINDS), default="github")
    arguments.add_argument("--root", required=True, help="folder for the repositories")
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--control-port", type=int, default=0)
    arguments.add_argument("--certificate", help="without one, a CA and a certificate of it are made in the root")
    arguments.add_argument("--key")
    arguments.add_argument("--ca", help="who signs the receivers of webhooks")
    arguments.add_argument("--with-parent", action="store_true", help="end with the parent or with standard input")
    arguments.add_argument("--record", help="a file that gets every exchange, a JSON object in a line")
    wanted = arguments.parse_args()

    # Before anything is said: a parent that has heard the address may go at once.
    parent = os.pidfd_open(os.getppid()) if wanted.with_parent else None
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    site, driving = KINDS[wanted.kind]
    forge = site(Clock(), Log(), Faults(), Sender(wanted.ca), os.path.abspath(wanted.root))
    if wanted.record:
        recorder = Recorder(wanted.record)
        forge.watchers.append(recorder.exchange)
        forge.sender.watchers.append(recorder.delivery)
    said = {}
    if not wanted.certificate:
        folder = os.path.join(os.path.abspath(wanted.root), "tls")
        os.makedirs(folder, exist_ok=True)
        make_certificates(folder)
        wanted.certificate, wanted.key = (os.path.join(folder, f"server.{end}") for end in ("pem", "key"))
        said["ca"] = os.path.join(folder, "ca.pem")
    server = Server(forge, wanted.port, tls_context(wanted.certificate, wanted.key))
    forge.opened()
    control = Server(Control(forge, driving(forge).commands()), wanted.control_port)
    server.start()
    control.start()
    print(json.dumps({"address": f"localhost:{server.server_port}",
                      "control": f"http://127.0.0.1:{control.server_port}", **said}), flush=True)
    if wanted.with_parent:
        threading.Thread(target=watch_parent, args=[parent, stopped], daemon=True).start()
    stopped.wait()
    forge.stopping.set()


if __name__ == "__main__":
    main()
