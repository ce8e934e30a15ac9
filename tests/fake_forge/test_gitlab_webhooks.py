"""GitLab's webhooks: which events are sent, with which headers, and the ways in which they arrive wrong."""

import unittest

from fixture import PATIENCE_S
from gitlab_fixture import GitLabTest
from receiver import Hooked


class Webhooks(Hooked, GitLabTest):
    def test_a_merge_request_from_opening_to_merge(self):
        self.push("ada", "topic", {"x": "1\n"})
        self.hook(events=["merge_requests_events"])
        number = self.act("ada", "open", head="topic", title="Topic")["number"]
        before = self.mr(number).json["sha"]
        self.push("ada", "topic", {"y": "1\n"})
        self.act("ada", "edit", number=number, title="Other")
        self.act("bob", "approve", number=number)
        self.act("bob", "merge", number=number)
        got = self.told(5)
        self.assertEqual([body["object_attributes"]["action"] for _, body in got],
                         ["open", "update", "update", "approved", "merge"])
        headers, body = got[1]
        self.assertEqual((headers["X-Gitlab-Event"], headers["X-Gitlab-Token"]), ("Merge Request Hook", "s3cret"))
        self.assertEqual((body["object_kind"], body["object_attributes"]["oldrev"], body["changes"]),
                         ("merge_request", before, {}))
        self.assertEqual(got[2][1]["changes"]["title"], {"previous": "Topic", "current": "Other"})
        self.assertEqual(got[4][1]["object_attributes"]["state"], "merged")
        self.assertEqual(body["project"]["path_with_namespace"], self.full)
        uuid = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
        for name in ("X-Gitlab-Event-UUID", "Idempotency-Key", "X-Gitlab-Webhook-UUID"):
            self.assertRegex(headers[name], uuid)
        self.assertTrue(headers["X-Gitlab-Instance"].startswith("https://localhost:"))

    def test_notes_pipelines_and_pushes(self):
        number = self.pull()
        self.hook()
        self.act("bob", "comment", number=number, body="Hello")
        sha = self.push("ada", "other", {"x": "1\n"})
        self.checks(branch="feature", job="build", status="success")
        got = self.told(3)
        self.assertEqual([headers["X-Gitlab-Event"] for headers, _ in got], ["Note Hook", "Push Hook", "Pipeline Hook"])
        note, push, pipeline = [body for _, body in got]
        self.assertEqual((note["object_attributes"]["note"], note["merge_request"]["iid"]), ("Hello", number))
        self.assertEqual((push["after"], push["ref"], push["user_username"]), (sha, "refs/heads/other", "ada"))
        self.assertEqual((pipeline["object_attributes"]["status"], pipeline["builds"][0]["name"],
                          pipeline["merge_request"]["iid"]), ("success", "build", number))

    def test_twice_wrong_held_and_again(self):
        number = self.pull()
        self.hook(events=["note_events"], twice=1)
        self.act("bob", "comment", number=number, body="one")
        keys = {headers["Idempotency-Key"] for headers, _ in self.told(2)}
        self.assertEqual(len(keys), 1)
        self.forge.control("/webhooks", id=self.id, bad_signature=1)
        self.act("bob", "comment", number=number, body="two")
        self.assertEqual(self.told(3)[2][0]["X-Gitlab-Token"], "s3cret?")
        self.forge.control("/hold")
        self.act("bob", "comment", number=number, body="three")
        self.act("bob", "comment", number=number, body="four")
        self.forge.control("/release", order="reverse")
        self.assertEqual([body["object_attributes"]["note"] for _, body in self.told(5)[3:]], ["four", "three"])
        last = self.forge.control("/deliveries", idle_s=PATIENCE_S)["deliveries"][-1]
        self.forge.control("/redeliver", id=last["id"])
        self.assertEqual(self.told(6)[5][0]["Idempotency-Key"], last["guid"])


if __name__ == "__main__":
    unittest.main()
