"""GitLab's pipelines, jobs and statuses of commits."""

import unittest

from gitlab_fixture import GitLabTest


class Statuses(GitLabTest):
    def setUp(self):
        super().setUp()
        self.number = self.pull("topic")
        self.sha = self.mr(self.number).json["sha"]

    def put(self, state, name="ci", **more):
        return self.repo("POST", f"/statuses/{self.sha}", {"state": state, "name": name, **more})

    def test_a_status_goes_on_and_then_is_another(self):
        first = self.put("pending", target_url="https://ci/1")
        self.assertEqual((first.status, first.json["status"], first.json["ref"]), (201, "pending", "topic"))
        self.refused(self.put("pending"), 400, "Cannot transition status via :enqueue from :pending (Reason(s): Status "
                     "cannot transition via \"enqueue\")")
        self.put("running")
        self.refused(self.put("running"), 400, "Cannot transition status via :run from :running (Reason(s): Status "
                     "cannot transition via \"run\")")
        self.assertEqual(self.put("success").json["id"], first.json["id"])
        again = self.put("failed").json
        self.assertNotEqual(again["id"], first.json["id"])
        found = self.repo("GET", f"/repository/commits/{self.sha}/statuses").json
        self.assertEqual([(one["name"], one["status"]) for one in found], [("ci", "failed")])
        self.assertEqual(len(self.repo("GET", f"/repository/commits/{self.sha}/statuses?all=true").json), 2)
        head = self.mr(self.number).json["head_pipeline"]
        self.assertEqual((head["status"], head["sha"], head["source"]), ("failed", self.sha, "external"))

    def test_what_is_refused(self):
        self.refused(self.put("error"), 400, "state does not have a valid value", "error")
        self.refused(self.repo("POST", f"/statuses/{'0' * 40}", {"state": "success"}), 404, "404 Commit Not Found")
        self.assertEqual(self.put("success", target_url="ftp://x").status, 400)
        self.refused(self.repo("POST", f"/statuses/{self.sha}", {"state": "success"}, token=self.new_token("eve")), 403,
                     "403 Forbidden")

    def test_jobs_of_a_pipeline_are_not_statuses(self):
        pipeline = self.checks(branch="topic", job="build", status="running", stage="build")["pipeline"]
        self.checks(branch="topic", job="test", status="pending")
        self.put("success", "lint")
        self.assertEqual([job["name"] for job in self.repo("GET", f"/pipelines/{pipeline}/jobs").json],
                         ["test", "build"])
        self.assertEqual(self.repo("GET", f"/pipelines/{pipeline}").json["status"], "running")
        for job in ("build", "test"):
            self.checks(branch="topic", job=job, status="success")
        found = self.mr(self.number, path="/pipelines").json
        self.assertEqual([(one["id"], one["status"]) for one in found], [(pipeline, "success")])

    def test_a_pipeline_of_an_older_head_is_not_the_heads(self):
        self.checks(branch="topic", job="build", status="success")
        self.push("ada", "topic", {"more": "1\n"})
        self.assertIsNone(self.mr(self.number).json["head_pipeline"])
        self.assertEqual(len(self.mr(self.number, path="/pipelines").json), 1)


class Branches(GitLabTest):
    def test_branches_are_made_shown_and_deleted(self):
        self.assertEqual(self.repo("POST", "/repository/branches?branch=a%2Fb&ref=main").status, 201)
        self.refused(self.repo("POST", "/repository/branches", {"branch": "a/b", "ref": "main"}), 400,
                     "Branch already exists")
        found = self.repo("GET", "/repository/branches/a%2Fb").json
        self.assertEqual((found["name"], found["protected"], found["default"]), ("a/b", False, False))
        self.assertEqual(self.repo("DELETE", "/repository/branches/a%2Fb").status, 204)
        self.refused(self.repo("GET", "/repository/branches/a%2Fb"), 404, "404 Branch Not Found")
        self.forge.control("/protection", repository=self.full, branch="main")
        self.assertTrue(self.repo("GET", "/repository/branches/main").json["protected"])
        self.assertEqual(self.repo("GET", "/protected_branches").status, 403)


if __name__ == "__main__":
    unittest.main()
