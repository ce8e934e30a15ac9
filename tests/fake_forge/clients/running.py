"""Runs a client's script with the packages that PACKAGES has."""

import os
import subprocess


def run(test, script, **more):
    """`more`: what the script is told by its environment, beside the fake's address and who signs it."""
    environment = {**os.environ, "FAKE": f"https://{test.forge.address}", "NODE_EXTRA_CA_CERTS": test.forge.ca, **more}
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), script)
    done = subprocess.run(["node", script], env=environment, cwd=os.environ["PACKAGES"], capture_output=True, text=True)
    test.assertEqual(done.returncode, 0, done.stdout + done.stderr)
