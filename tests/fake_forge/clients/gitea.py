"""Sets the scene for gitea.mjs and runs it. PACKAGES is a folder with node_modules."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from gitea_fixture import GiteaTest
from running import run


class GiteaJs(GiteaTest):
    def test_a_pull_request_from_creation_to_merge(self):
        self.push("ada", "topic", {"README": "one\n2\nthree\n"})
        self.protect(required_approvals=1, enable_status_check=True, status_check_contexts=["ci/*"])
        run(self, "gitea.mjs", REPOSITORY=self.full, TOKENS=f"{self.token} {self.new_token('bob')}")


if __name__ == "__main__":
    unittest.main()
