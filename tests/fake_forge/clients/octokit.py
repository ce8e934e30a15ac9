"""Sets the scene for octokit.mjs and runs it. PACKAGES is a folder with node_modules."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from fixture import ForgeTest
from running import run


class Octokit(ForgeTest):
    def test_a_pull_request_from_creation_to_merge(self):
        self.push("ada", "topic", {"README": "one\n2\nthree\n"})
        run(self, "octokit.mjs", REPOSITORY=self.full, TOKENS=f"{self.token} {self.new_token('bob')}")


if __name__ == "__main__":
    unittest.main()
