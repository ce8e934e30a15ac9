"""Gitea's statuses of commits, and what they come to."""

import unittest

from gitea_fixture import FORGEJO, GiteaTest


class Statuses(GiteaTest):
    def setUp(self):
        super().setUp()
        self.sha = self.bare("rev-parse", "main")

    def post(self, state, context="ci", **more):
        return self.repo("POST", f"/statuses/{self.sha}", {"state": state, "context": context, **more})

    def combined(self, ref="main"):
        return self.repo("GET", f"/commits/{ref}/status").json

    def test_a_status_is_set_and_read(self):
        made = self.post("pending", target_url="https://ci.invalid/1", description="Runs")
        self.assertEqual((made.status, made.json["status"], made.json["context"], made.json["creator"]["login"],
                          made.json["target_url"]), (201, "pending", "ci", "ada", "https://ci.invalid/1"))
        self.post("success")
        self.post("failure", "other")
        said = self.combined()
        self.assertEqual((said["state"], said["sha"], said["total_count"]), ("failure", self.sha, 2))
        self.assertEqual({one["context"]: one["status"] for one in said["statuses"]},
                         {"ci": "success", "other": "failure"})
        every = self.repo("GET", f"/commits/main/statuses?limit=2")
        self.assertEqual([one["status"] for one in every.json], ["failure", "success"])
        self.assertEqual(every.headers["X-Total-Count"], "3")
        self.assertEqual(len(self.repo("GET", f"/statuses/{self.sha}?state=pending").json), 1)

    def test_pages(self):
        for number in range(51):
            self.checks(sha=self.sha, context=str(number), state="success")
        sizes = [len(self.repo("GET", f"/statuses/{self.sha}{query}").json) for query in ("", "?limit=99", "?page=2")]
        self.assertEqual(sizes, [30, 50, 21])
        said = self.repo("GET", "/commits/main/status?limit=2").json
        self.assertEqual((len(said["statuses"]), said["total_count"]), (2, 51))

    def test_who_may_set_one(self):
        answer = self.repo("POST", f"/statuses/{self.sha}", {"state": "success"}, token=self.new_token("eve"))
        self.refused(answer, 403, "user should have a permission to write to a repo")
        self.refused(self.post(""), 422, "[State]: Required")
        self.assertEqual(self.post("done").status, 422)
        self.assertEqual(self.repo("POST", f"/statuses/{'0' * 40}", {"state": "success"}).status, 404)
        self.assertEqual(self.combined("none").get("message"), "object does not exist [id: none, rel_path: ]")

    def test_what_they_come_to_by_version(self):
        self.assertEqual((self.combined()["state"], self.combined()["total_count"]), ("pending", 0))
        for version, states in (("1.26.1", {"warning": "success", "error": "failure", "skipped": "success"}),
                                (FORGEJO, {"warning": "warning", "error": "error"})):
            self.forge.control("/server", version=version)
            self.push("ada", "main", {version: "1\n"})
            self.sha = self.bare("rev-parse", "main")
            if version == FORGEJO:
                self.assertEqual(self.combined(), {"state": "", "sha": "", "total_count": 0, "statuses": None,
                                                   "repository": None, "commit_url": "", "url": ""})
                self.assertEqual(self.post("skipped").status, 422)
            self.post("success", "first")
            for state, wanted in states.items():
                self.post(state)
                self.assertEqual(self.combined()["state"], wanted)
            self.post("pending")
            self.assertEqual(self.combined()["state"], "pending")

    def test_required_patterns(self):
        self.protect(enable_status_check=True, status_check_contexts=["ci/*", "lint"])
        number = self.pull()
        self.ready(number)

        def refused():
            self.refused(self.merge(number), 405, "Not all required status checks successful")
        refused()
        self.checks(branch="feature", context="ci/build", state="success")
        refused()
        self.checks(branch="feature", context="lint", state="failure")
        refused()
        self.checks(branch="feature", context="other", state="failure")
        self.checks(branch="feature", context="lint", state="success")
        self.assertEqual(self.merge(number).status, 200)

    def test_a_protection_without_names_requires_all_that_there_are(self):
        self.protect(enable_status_check=True)
        number = self.pull()
        self.ready(number)
        self.assertEqual(self.merge(number).status, 405)
        self.checks(branch="feature", context="any", state="success")
        self.assertEqual(self.merge(number).status, 200)


if __name__ == "__main__":
    unittest.main()
