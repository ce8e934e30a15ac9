"""Sets the scene for gitbeaker.mjs and runs it. PACKAGES is a folder with node_modules."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from gitlab_fixture import GitLabTest
from running import run


class Gitbeaker(GitLabTest):
    def test_a_merge_request_from_creation_to_merge(self):
        self.push("ada", "topic", {"README": "one\n2\nthree\n"})
        self.settings(approvals_required=1, only_allow_merge_if_pipeline_succeeds=True,
                      only_allow_merge_if_all_discussions_are_resolved=True)
        run(self, "gitbeaker.mjs", PROJECT=self.full, TOKENS=f"{self.token} {self.new_token('bob')}")


if __name__ == "__main__":
    unittest.main()
