"""Gitea's webhooks: which events are sent, with which headers, and the ways in which they arrive wrong."""

import hashlib
import hmac
import json
import unittest

from fixture import PATIENCE_S
from gitea_fixture import FORGEJO, VERSION, GiteaTest
from receiver import Hooked


class Webhooks(Hooked, GiteaTest):
    def test_a_pull_request_from_opening_to_merge(self):
        self.push("ada", "topic", {"x": "1\n"})
        self.hook(events=["pull_request", "pull_request_sync", "pull_request_review_approved",
                          "pull_request_review_rejected", "pull_request_review_comment"])
        number = self.act("ada", "open", head="topic", title="Topic")["number"]
        head = self.push("ada", "topic", {"y": "1\n"})
        self.act("ada", "edit", number=number, title="Other")
        self.act("bob", "request_changes", number=number, body="No")
        self.act("bob", "open_thread", number=number, path="y", line=1, body="Why?")
        self.act("bob", "approve", number=number, body="Fine")
        self.act("bob", "merge", number=number)
        got = self.told(7)
        self.assertEqual([(headers["X-Gitea-Event"], headers["X-Gitea-Event-Type"], body["action"])
                          for headers, body in got],
                         [("pull_request", "pull_request", "opened"),
                          ("pull_request", "pull_request_sync", "synchronized"),
                          ("pull_request", "pull_request", "edited"),
                          ("pull_request_rejected", "pull_request_review_rejected", "reviewed"),
                          ("pull_request_comment", "pull_request_review_comment", "reviewed"),
                          ("pull_request_approved", "pull_request_review_approved", "reviewed"),
                          ("pull_request", "pull_request", "closed")])
        bodies = [body for _, body in got]
        self.assertEqual((bodies[1]["pull_request"]["head"]["sha"], bodies[1]["number"]), (head, number))
        self.assertEqual(bodies[2]["changes"], {"title": {"from": "Topic"}})
        self.assertEqual(bodies[5]["review"], {"type": "pull_request_review_approved", "content": "Fine"})
        self.assertEqual((bodies[6]["pull_request"]["merged"], bodies[6]["sender"]["login"],
                          bodies[6]["repository"]["full_name"]), (True, "bob", self.full))

    def test_pushes_comments_and_statuses(self):
        number = self.pull()
        self.hook()
        self.act("bob", "comment", number=number, body="Hello")
        for version in (FORGEJO, VERSION):
            # A Forgejo tells nothing of statuses.
            self.forge.control("/server", version=version)
            self.checks(branch="feature", context="ci", state="success", login="bob")
        sha = self.push("ada", "main", {"x": "1\n"})
        self.push("ada", "new", {"z": "1\n"})
        self.act("ada", "delete_branch", branch="new")
        got = self.told(6)
        self.assertEqual([headers["X-Gitea-Event"] for headers, _ in got],
                         ["issue_comment", "status", "push", "create", "push", "delete"])
        comment, status, push = [body for _, body in got[:3]]
        self.assertEqual((comment["comment"]["body"], comment["issue"]["number"], comment["is_pull"]),
                         ("Hello", number, True))
        self.assertEqual((status["state"], status["context"], status["sha"]),
                         ("success", "ci", self.pr(number).json["head"]["sha"]))
        self.assertEqual((push["ref"], push["after"], push["commits"][0]["added"], push["total_commits"]),
                         ("refs/heads/main", sha, ["x"], 1))

    def test_they_are_signed_by_both_names(self):
        number = self.pull()
        self.hook(events=["pull_request_comment"])
        self.act("bob", "comment", number=number, body="one")
        self.forge.control("/server", version=FORGEJO)
        self.forge.control("/webhooks", id=self.id, bad_signature=1)
        for text in "ab":
            self.act("bob", "comment", number=number, body=text)
        kept = []
        for headers, body in self.wait(3):
            seal = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
            kept.append(headers["X-Gitea-Signature"] == seal)
            self.assertEqual(headers["X-Hub-Signature-256"] == f"sha256={seal}", kept[-1])
            self.assertEqual(headers["X-Gitea-Delivery"], headers["X-GitHub-Delivery"])
        self.assertEqual(kept, [True, False, True])
        first, *later = [headers["X-Forgejo-Event"] for headers, _ in self.wait(3)]
        self.assertEqual((first, later), (None, ["issue_comment"] * 2))

    def test_twice_held_and_again(self):
        number = self.pull()
        self.hook(events=["pull_request_comment"], twice=1)
        self.act("bob", "comment", number=number, body="one")
        self.assertEqual(len({headers["X-Gitea-Delivery"] for headers, _ in self.told(2)}), 1)
        self.forge.control("/hold")
        for text in ("two", "three"):
            self.act("bob", "comment", number=number, body=text)
        self.forge.control("/release", order="reverse")
        self.assertEqual([body["comment"]["body"] for _, body in self.told(4)[2:]], ["three", "two"])
        last = self.forge.control("/deliveries", idle_s=PATIENCE_S)["deliveries"][-1]
        self.forge.control("/redeliver", id=last["id"])
        headers, body = self.wait(5)[4]
        self.assertEqual((headers["X-Gitea-Delivery"], json.loads(body)["action"]), (last["guid"], "created"))


if __name__ == "__main__":
    unittest.main()
